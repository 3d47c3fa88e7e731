import { inboxChannel, inboxMessage, type ReplyRoute, replyKey, type Topic } from '../../protocol/index.ts';
import type { RedisConnection } from '../../redis/index.ts';
import { InboxReplies } from './inbox-replies.ts';
import { ReplyLists } from './reply-lists.ts';

const SENT = Promise.resolve();

/** Sends the service's replies on the route that the request's id asks for. */
export class ReplySender {
  readonly #redis: RedisConnection;
  readonly #namespace: string;
  readonly #onUnclaimed: (count: number) => void;
  readonly #lists: ReplyLists;
  readonly #inboxes = new InboxReplies((channel, message, replies) => this.#publish(channel, message, replies));
  #isSharded = true;

  /** `onUnclaimed`: called with the number of replies that no caller claimed. */
  constructor(redis: RedisConnection, namespace: string, onUnclaimed: (count: number) => void) {
    this.#redis = redis;
    this.#namespace = namespace;
    this.#onUnclaimed = onUnclaimed;
    this.#lists = new ReplyLists(redis, onUnclaimed);
  }

  /** @throws whatever keeps the reply from being sent. */
  send(topic: Pick<Topic, 'command' | 'session' | 'request'>, route: ReplyRoute, json: string): Promise<void> {
    if (route.kind === 'none') return SENT;
    if (route.kind === 'list') return this.#lists.push(replyKey(this.#namespace, topic), json);
    return this.#inboxes.send(inboxChannel(this.#namespace, route.inbox), inboxMessage(route.number, json));
  }

  /** Stops looking after lists. */
  stop(): void {
    this.#lists.stop();
  }

  async #publish(channel: string, message: string, replies: number): Promise<void> {
    if (this.#redis.spreadsPublished) return this.#publishSharded(channel, message);
    const receivers = await this.#redis.command<number>('PUBLISH', channel, message);
    if (receivers === 0) this.#onUnclaimed(replies);
  }

  // Our own clients listen on the shard; others may have subscribed to the channel on any node, and how many did cannot
  // be known.
  async #publishSharded(channel: string, message: string): Promise<void> {
    if (this.#isSharded) {
      try {
        if ((await this.#redis.command<number>('SPUBLISH', channel, message)) > 0) return;
      } catch (error) {
        if (!/unknown command/i.test((error as Error).message)) throw error;
        this.#isSharded = false;
      }
    }
    await this.#redis.command('PUBLISH', channel, message);
  }
}
