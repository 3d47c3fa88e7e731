import type { RunScript, UnsureScript } from './faulty-connection.ts';

/* plain-people.ts: what is known, without Redis. It hears which scripts Redis has run, and in which order. */

/** What a message notes. */
export interface Note {
  readonly kind: 'page' | 'item' | 'notice' | 'event';
  readonly item: number;
  readonly minute: number;
  /** Whether it is certain that it counts: not where it may have been lost with a connection, and not where a person was
   *  erased in between. */
  readonly isSure: boolean;
}

/** A claim of a session. */
interface Claim {
  readonly to: string;
  readonly at: string;
  /** The person was erased since: what is noted is nobody's. */
  isVoid: boolean;
  /** The person was an erased one when it was made: what is noted is theirs or nobody's. */
  readonly isUnsure: boolean;
}

const WRITES = ['record-view', 'mark-items', 'mark-notices', 'track'];

/** The knowledge of some persons and sessions, as it should be. Persons and sessions are named as their keys are. */
export class PlainPeople {
  /** What is known of each; of a claimed session what is nobody's yet, which is nothing. */
  readonly #known = new Map<string, Note[]>();
  /** What stands in a session's own record, claimed or not. */
  readonly #own = new Map<string, Note[]>();
  readonly #claims = new Map<string, Claim>();
  readonly #erased = new Set<string>();
  /** Sessions and persons of which a connection broke: they are to be looked at. */
  readonly unsure = new Set<string>();

  known(subject: string): readonly Note[] {
    return this.#known.get(subject) ?? [];
  }

  own(session: string): readonly Note[] {
    return this.#own.get(session) ?? [];
  }

  claimOf(session: string): Claim | undefined {
    return this.#claims.get(session);
  }

  /** Whether nothing is noted of a person, because of an erasure. */
  isErased(person: string): boolean {
    return this.#erased.has(person);
  }

  /** Hears of a script that was run. */
  ran({ reply, ...script }: RunScript): void {
    const subject = subjectIn(script.key);
    const [status, ...values] = [reply].flat() as unknown[];
    if (WRITES.includes(script.name)) {
      script.operation!.notedFor = this.#claims.get(subject)?.to ?? subject;
      this.#note(subject, script.operation!.note!);
    }
    if (script.name === 'claim-session' && Number(status) > 0)
      this.claimed(subject, String(values[0]), String(values[1]));
    if (script.name === 'settle-claim' && Number(status) === 1) this.#settled(subject, script.args.map(String));
  }

  /** Hears of a script that may have been run. */
  mayHaveRun(script: UnsureScript): void {
    const subject = subjectIn(script.key);
    if (WRITES.includes(script.name)) this.#note(subject, { ...script.operation!.note!, isSure: false });
    else this.unsure.add(subject);
  }

  /** A session is claimed as this says; the same again changes nothing. */
  claimed(session: string, to: string, at: string): void {
    if (this.#claims.get(session)?.at === at) return;
    if (this.#claims.has(session)) this.retired(session);
    const claim = { to, at, isVoid: false, isUnsure: this.#erased.has(to) };
    this.#claims.set(session, claim);
    for (const note of this.known(session)) this.#give(to, claim, note);
    this.#known.delete(session);
  }

  /** A session's record is deleted. */
  retired(session: string): void {
    this.#claims.delete(session);
    this.#known.delete(session);
    this.#own.delete(session);
  }

  /** A person is erased; whether it was is read from Redis, because an erasure has many steps. */
  erase(person: string): void {
    this.#erased.add(person);
    this.#known.delete(person);
    for (const claim of this.#claims.values()) if (claim.to === person) claim.isVoid = true;
  }

  /** The hour is over in which nothing is noted of an erased subject. */
  comeBack(subject: string): void {
    this.#erased.delete(subject);
  }

  #settled(session: string, args: readonly string[]): void {
    const [at, retires] = [args[2], args.at(-1)];
    // One that comes late finds no claim, or another one.
    if (retires === '1' && this.#claims.get(session)?.at === at) this.retired(session);
  }

  #note(subject: string, note: Note): void {
    if (this.#erased.has(subject)) return;
    const claim = this.#claims.get(subject);
    if (!subject.endsWith('_')) append(this.#own, subject, note);
    if (claim) this.#give(claim.to, claim, note);
    else append(this.#known, subject, note);
  }

  #give(person: string, claim: Claim, note: Note): void {
    if (!claim.isVoid) append(this.#known, person, claim.isUnsure ? { ...note, isSure: false } : note);
  }
}

function append(notes: Map<string, Note[]>, subject: string, note: Note): void {
  const list = notes.get(subject);
  if (list) list.push(note);
  else notes.set(subject, [note]);
}

/** The subject in the name of its record's key. */
function subjectIn(key: string): string {
  return key.split(':').at(-2)!;
}
