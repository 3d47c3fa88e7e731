/** What somebody may do: look; write notices; also act on requests, sessions and rules. Each includes the
 *  ones before it. */
export type Role = 'viewer' | 'editor' | 'operator';

/** The roles, the least first. */
export const ROLES: readonly Role[] = ['viewer', 'editor', 'operator'];

/** Whether a role includes another. */
export function includesRole(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}
