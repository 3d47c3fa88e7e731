import type { DashboardStore } from './dashboard-store.ts';
import type { Role } from './role.ts';

/** One page of the dashboard: what it reads, and what can be done on it. The browser's side is `page/<name>.js`. */
export interface DashboardView<Data = unknown> {
  /** Part of the path, and the name of the page's script: lower case letters. */
  readonly name: string;
  /** The heading, and the words of the navigation. */
  readonly title: string;
  /** How often its data are read while a page follows it, in milliseconds. All pages that follow the same query share one
   *  read. */
  readonly everyMs: number;
  /** Reads what the page shows, as a value for JSON. It must hold nothing that is a usable credential.
   *  @throws a RangeError for a query that cannot be used; its message stands on the page then, as that of any other error. */
  read(store: DashboardStore, query: URLSearchParams): Promise<Data>;
  /** By name: lower case letters and dashes. `POST <base>/<view>/<action>` with a JSON body. */
  readonly actions?: Readonly<Record<string, DashboardAction>>;
}

/** Something that can be done on a view. Each try is logged. */
export interface DashboardAction<Input = unknown> {
  /** The least role that may do it. */
  readonly role: Role;
  /** Whether it only looks, so that a read-only dashboard does it too. Default false. */
  readonly onlyLooks?: boolean;
  /** Checks the body of the request.
   *  @throws a RangeError whose message says what is wrong; it is answered with 400. */
  parse(input: unknown): Input;
  /** What the log says about the input: ids and names, never a text that a visitor or operator has written. Default:
   *  nothing. */
  describe?(input: Input): object;
  /** Does it. `by`: the name of who does it. Returns what the page is answered, as a value for JSON.
   *  @throws an error whose message stands on the page. */
  run(store: DashboardStore, input: Input, by: string): Promise<unknown>;
}
