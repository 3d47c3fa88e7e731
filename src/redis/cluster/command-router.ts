import { setTimeout as sleep } from 'node:timers/promises';
import { ConditionVariable } from '../../async/index.ts';
import { slotOfKey } from '../key-slot.ts';
import type { NodeConnection } from '../node/node-connection.ts';
import { describeConnection, type ServerAddress } from '../options/connection-options.ts';
import type { CommandArguments, RedisConnection } from '../redis-connection.ts';
import { RedisNotReadyError } from '../redis-not-ready-error.ts';
import { firstKeyOf } from './first-key.ts';
import type { ClusterNodes } from './nodes.ts';
import { readRedirect } from './redirect.ts';
import type { ClusterTopology } from './topology.ts';

/* command-router.ts: which master of a Cluster a command goes to.
 *
 * A command goes to the master of its first key's slot, in the turn in which it is sent, so that commands for one key
 * keep their order. A command that a node has not executed is sent again: to the server that the node names (MOVED,
 * ASK), or after a pause (TRYAGAIN: the keys of a slot that moves are at both ends). A command that may have been
 * executed is never sent again. */

const MAX_REDIRECTIONS = 5;
/** How long a command waits for the connection to a master that a redirection named. */
const ARRIVAL_DEADLINE_MS = 1_000;
/** How long a command for several keys waits while their slot moves. */
const TRY_AGAIN_LIMIT_MS = 2_000;
const MAX_PAUSE_MS = 100;

/** Sends a command to one node. */
export type Send<Reply> = (node: RedisConnection) => Promise<Reply>;

/** Where a command that was refused is on its way. */
interface Retries {
  readonly slot: number;
  readonly end: number;
  redirections: number;
  pauses: number;
}

/** Sends commands to the masters of a Cluster, and follows redirections. */
export class CommandRouter {
  readonly #topology: ClusterTopology;
  readonly #nodes: ClusterNodes;
  readonly #readiness = new ConditionVariable();
  #closed = false;

  constructor(topology: ClusterTopology, nodes: ClusterNodes) {
    this.#topology = topology;
    this.#nodes = nodes;
  }

  /** Sends a command to the master of its first key; without a key, to any master.
   *  @throws RedisNotReadyError where that master is not ready, the error that Redis answered at last, or RangeError for a
   *  command that means the keyspace of one server. */
  route<Reply>(args: CommandArguments, send: Send<Reply>): Promise<Reply> {
    let key: string | Buffer | undefined;
    try {
      key = firstKeyOf(args);
    } catch (error) {
      return Promise.reject(error as Error);
    }
    if (key === undefined) return this.#sendTo(this.#nodes.any(), send);
    const slot = slotOfKey(key);
    const node = this.#nodes.ofSlot(slot);
    return this.#sendTo(node, send).catch((error: unknown) => this.#sendElsewhere(error, slot, node, send));
  }

  /** A node may have become ready: commands that wait for it look again. */
  onReachable(): void {
    this.#readiness.notifyAll();
  }

  /** Ends the waits for nodes. */
  close(): void {
    this.#closed = true;
    this.#readiness.notifyAll();
  }

  #sendTo<Reply>(node: NodeConnection | undefined, send: Send<Reply>): Promise<Reply> {
    if (node?.isReady) return send(node);
    this.#topology.refreshSoon();
    const where =
      node === undefined ? `The Cluster at ${describeConnection(this.#topology.options)}` : `Redis at ${node.address}`;
    return Promise.reject(new RedisNotReadyError(`${where} does not answer now.`));
  }

  /** Sends a command that was not executed to the server that each refusal names; where a refusal names none, throws it. */
  async #sendElsewhere<Reply>(
    refusal: unknown,
    slot: number,
    refusedBy: NodeConnection | undefined,
    send: Send<Reply>,
  ): Promise<Reply> {
    const retries: Retries = { slot, end: performance.now() + TRY_AGAIN_LIMIT_MS, redirections: 0, pauses: 0 };
    let error = refusal;
    let node = refusedBy;
    for (;;) {
      const redirect = readRedirect(error, node?.resolvedAddress?.host ?? '');
      if (redirect !== undefined && retries.redirections < MAX_REDIRECTIONS) {
        retries.redirections += 1;
        if (redirect.kind === 'MOVED') this.#topology.moved(slot, redirect.to);
        node = await this.#nodeAt(redirect.to);
      } else {
        node = await this.#nodeAfterPause(error, retries);
      }
      try {
        if (redirect?.kind === 'ASK') node?.command('ASKING').catch(() => undefined);
        return await this.#sendTo(node, send);
      } catch (next) {
        error = next;
      }
    }
  }

  /** Waits a little where the refusal says that its slot moves, and gives the slot's master of then.
   *  @throws the refusal, where it says something else or the slot has been moving for too long. */
  async #nodeAfterPause(refusal: unknown, retries: Retries): Promise<NodeConnection | undefined> {
    if (!isTryAgain(refusal) || performance.now() >= retries.end) {
      if (isOldNews(refusal)) this.#topology.refreshSoon();
      throw refusal;
    }
    await sleep(Math.min(10 * 2 ** retries.pauses, MAX_PAUSE_MS));
    retries.pauses += 1;
    // Until the slot has arrived, both ends redirect to each other: the time is the limit then, not the count.
    retries.redirections = 0;
    return this.#nodes.ofSlot(retries.slot);
  }

  async #nodeAt(address: Required<ServerAddress>): Promise<NodeConnection> {
    const node = this.#nodes.at(address);
    await this.#readiness.waitFor(() => node.isReady || this.#closed, ARRIVAL_DEADLINE_MS);
    return node;
  }
}

function isTryAgain(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('TRYAGAIN');
}

function isOldNews(error: unknown): boolean {
  return error instanceof Error && /^(MOVED|ASK|CLUSTERDOWN|LOADING|MASTERDOWN)|(^|-)READONLY /.test(error.message);
}
