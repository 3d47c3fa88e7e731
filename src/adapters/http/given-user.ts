import { checkUserId } from '../../protocol/index.ts';
import { refuseAnswer } from './site-answers.ts';

/** Returns the user whom a function of the site names for a request; undefined for nobody. `owner`: the middleware's name
 *  in messages.
 *  @throws errors of the function; RangeError for what is no user id: with a mistake for an id, all users would be one
 *  person. */
export function givenUser<Request>(
  owner: string,
  request: Request,
  user: (request: Request) => string | null | undefined,
): string | undefined {
  const given = user(request);
  if (given === undefined || given === null) return undefined;
  if ((given as unknown) instanceof Promise) refuseAnswer(owner, 'user', given, 'the id of the user, or undefined');
  try {
    return checkUserId(given);
  } catch (error) {
    throw new RangeError(`${owner}: user returned no user id. ${(error as Error).message}`, { cause: error });
  }
}
