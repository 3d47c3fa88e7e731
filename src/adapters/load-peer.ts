import { createRequire } from 'node:module';
import { PeerMissingError } from './peer-missing-error.ts';

/** Loads a package that the site has to bring, at the first use: a site that does not use it need not have it. `need`: what
 *  needs it, for the message.
 *  @throws PeerMissingError where it is not installed; what the package itself throws. */
export function loadPeer<Package>(name: string, need: string): Package {
  try {
    return createRequire(__filename)(name) as Package;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // Another package may be missing, which this one needs.
    if (code === 'MODULE_NOT_FOUND' && message.includes(`'${name}'`)) throw new PeerMissingError(name, need, error);
    throw error;
  }
}
