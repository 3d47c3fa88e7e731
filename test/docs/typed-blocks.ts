import type { Block } from './documents.ts';

/* typed-blocks.ts: what stands around a piece of code in a document. A block is a whole module where it imports what it
 * uses; a piece of one uses these names, which its document has introduced. JavaScript is checked with the types
 * that stand in its comments. The word behind `js` or `ts` says where the piece belongs: express (the default), fastify, or page (a script in the browser). */

const SERVER = `
declare global {
  namespace NodeJS { interface ProcessEnv { COOKIE_SECRET: string; SESSIONWISE_SECRET: string } }
}import type { SessionClient, SessionHandle } from 'sessionwise';
declare global {
  const client: SessionClient;
  const redis: string;
  /** The public id of a session. */
  const session: string;
  const newKey: string;
  const oldKey: string;
  const order: { readonly id: number };
  function membersOf(group: string): readonly string[];
  function mailTo(members: readonly string[], notice: { readonly text: string }): Promise<void>;
  function lookAtAllAccounts(from: number, until: number): Promise<void>;
  function greet(userId: string | undefined): Promise<void>;
}`;

/** Global declarations by context. */
export const CONTEXTS: Readonly<Record<string, string>> = {
  express: `${SERVER}
import type { Express, NextFunction, Request, Response } from 'express';
import type { Sessionwise, SessionStore as Store } from 'sessionwise/express';
import type { SessionStore as StoreClass } from 'sessionwise/express';
declare module 'express-session' {
  interface SessionData { things?: number; isAdmin?: boolean; userName?: string; unread?: number; log?: { at: number }[]; plan?: string; orders?: { id: number }[]; n?: number }
}
declare global {
  namespace Express { interface User { name: string } }
  const app: Express;
  const sw: Sessionwise;
  const store: Store;
  const SessionStore: typeof StoreClass;
  const request: Request;
  const response: Response;
  const next: NextFunction;
}`,
  fastify: `${SERVER}
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Sessionwise, SessionStore as Store } from 'sessionwise/fastify';
declare global {
  const app: FastifyInstance;
  const sw: Sessionwise;
  const store: Store;
  const request: FastifyRequest;
  const reply: FastifyReply;
}`,
  page: `
declare global {
  const sessionwise: {
    on(event: 'unread', callback: (unread: number, counts: { unread: number; unseen: number }) => void): () => void;
    on(event: 'notice', callback: (notice: { id: string; title?: string; text: string }) => void): () => void;
    on(event: 'logged-out' | 'stale' | 'open', callback: () => void): () => void;
  };
  function showBubble(text: string): void;
}
export {};`,
};

/** The context of a block of code. */
export function contextOf({ words }: Block): string {
  return words.find((word) => Object.hasOwn(CONTEXTS, word)) ?? 'express';
}

/** A module for the compiler. */
export interface TypedModule {
  readonly extension: 'mts' | 'mjs';
  readonly text: string;
  readonly linesBefore: number;
}

/** The block as a module of its own; `with-previous` behind `js` or `ts`: as one with the block before it in its document,
 *  in front of which as many lines stand as the second number says. */
export function moduleOf(block: Block, before: Block | undefined): TypedModule {
  const first = block.words.includes('with-previous') && before ? `${before.text}\n` : '';
  const text = `${first}${block.text}`;
  return {
    extension: block.language === 'ts' ? 'mts' : 'mjs',
    text: /^(?:import|export) /m.test(text) ? text : `${text}\nexport {};`,
    linesBefore: first.split('\n').length - 1,
  };
}
