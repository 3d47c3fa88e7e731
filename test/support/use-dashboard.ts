import { afterEach } from 'vitest';
import { type ServeDashboardOptions, serveDashboard } from '../../src/dashboard/index.ts';
import { RecordingLog } from './recording-log.ts';

/** A dashboard in this process, asked as its pages ask. */
export interface StagedDashboard {
  readonly url: string;
  readonly log: RecordingLog;
  /** What a view shows, or the sentence that says why it shows nothing. `query`: without `?`. */
  data<Data>(view: string, query?: string): Promise<Data>;
  /** Does an action. Returns the status, and what was answered or the sentence that refuses. */
  act(view: string, action: string, input: unknown): Promise<{ status: number; done?: unknown; message?: string }>;
}

type Options = Omit<ServeDashboardOptions, 'port' | 'log'>;

/** Returns how to open dashboards; each is closed behind its test. */
export function useDashboard(): (options: Options) => Promise<StagedDashboard> {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    await Promise.all(closing.splice(0).map((close) => close()));
  });
  return async (options) => {
    const log = new RecordingLog();
    const served = await serveDashboard({ ...options, port: 0, log });
    closing.push(() => served.close());
    const { csrf } = (await (await fetch(`${served.url}session`)).json()) as { csrf: string };
    return {
      url: served.url,
      log,
      async data<Data>(view: string, query = ''): Promise<Data> {
        return (await (await fetch(`${served.url}${view}/data?${query}`)).json()) as Data;
      },
      async act(view, action, input) {
        const response = await fetch(`${served.url}${view}/${action}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'x-sessionwise-csrf': csrf },
          body: JSON.stringify(input),
        });
        const { done, error } = (await response.json()) as { done?: unknown; error?: { message: string } };
        return {
          status: response.status,
          ...(done !== undefined && { done }),
          ...(error && { message: error.message }),
        };
      },
    };
  };
}
