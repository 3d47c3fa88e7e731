/** Whether shared caches may keep an answer without asking, by its Cache-Control: then a cookie on it would be everybody's,
 *  and the server does not see who gets it. */
export function isForSharedCaches(cacheControl: string | undefined): boolean {
  if (cacheControl === undefined) return false;
  if (/\b(?:private|no-store|no-cache)\b/i.test(cacheControl)) return false;
  const shared = /\bs-maxage\s*=\s*"?(\d+)/i.exec(cacheControl);
  if (shared) return Number(shared[1]) > 0;
  return /\bpublic\b/i.test(cacheControl) && !/\bmax-age\s*=\s*"?0\b/i.test(cacheControl);
}
