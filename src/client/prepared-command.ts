/** A command that is ready to be sent. */
export interface PreparedCommand<Reply> {
  /** The payload as it travels. */
  readonly text: string;
  /** Whether the payload is JSON, and not a text. Default false. */
  readonly isJson?: boolean;
  /** How many items, ids and groups it has. Default 0. */
  readonly items?: number;
  /** Reads the reply, decoded from JSON.
   *  @throws MalformedReplyError where it is not of the form of docs/protocol.md. */
  read(reply: unknown): Reply;
}
