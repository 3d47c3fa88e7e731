/** Base of every error that Sessionwise makes. To handle one kind, compare `code` (docs/errors.md lists all): it is stable
 *  and survives a bundler that shortens class names. A wrong argument or option is a RangeError or TypeError of
 *  JavaScript instead: it is a mistake in the calling code, and there is nothing to handle. */
export abstract class SessionwiseError extends Error {
  /** Names the kind of failure, in upper snake case. */
  abstract readonly code: string;
  /** The HTTP status for a page that cannot answer because of this error. Express and Fastify read it. Undefined: they
   *  answer with 500. */
  declare readonly status?: number;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
  }

  /** The class's name. */
  override get name(): string {
    return this.constructor.name;
  }

  override set name(value: string) {
    setOwn(this, 'name', value);
  }

  /** The same as `status`, for frameworks that read this name. */
  get statusCode(): number | undefined {
    return this.status;
  }

  set statusCode(value: number | undefined) {
    setOwn(this, 'statusCode', value);
  }
}

/* Other code sets both: http-errors gives an error the status that a handler has chosen. */
function setOwn(error: SessionwiseError, name: 'name' | 'statusCode', value: unknown): void {
  Object.defineProperty(error, name, { value, writable: true, configurable: true, enumerable: false });
}
