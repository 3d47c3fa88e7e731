import { SessionwiseError } from '../protocol/index.ts';

/** A package that the site has to bring is not installed. */
export class PeerMissingError extends SessionwiseError {
  override readonly code = 'PEER_MISSING';

  /** `need`: what needs the package. */
  constructor(name: string, need: string, cause: unknown) {
    super(`${need} needs the package ${name}, which is not installed: run \`npm install ${name}\`.`, { cause });
  }
}
