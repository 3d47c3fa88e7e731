/** Part of Node's response that is needed. */
export interface AnswerWriter {
  readonly headersSent: boolean;
  readonly statusCode: number;
  /** Listens to the end of the answer. */
  on(event: 'finish', listener: () => void): unknown;
}

/** Has `listener` called when all of an answer of Node was given to the connection, with the status of its head:
 *  `statusCode` may be set to another one behind the head, which no browser sees. Not called for an answer that breaks off.
 *  For adapters of frameworks on Node: HandleRequest's `whenAnswered`. */
export function whenAnswered(response: AnswerWriter, listener: (statusCode: number) => void): void {
  const writer = response as AnswerWriter & { writeHead(...args: unknown[]): unknown };
  const { writeHead } = writer;
  let status: number | undefined;
  writer.writeHead = function (this: AnswerWriter, ...args: unknown[]): unknown {
    const isFirst = !this.headersSent;
    const result = Reflect.apply(writeHead, this, args);
    if (isFirst) status = this.statusCode;
    return result;
  };
  response.on('finish', () => listener(status ?? response.statusCode));
}
