/** A `redis-server` that has the `BF.*` commands, or undefined. Debian has none, so the native filter engine is tested
 *  wherever this names one; a skip says so. */
export const bloomServer: string | undefined = process.env.SESSIONWISE_TEST_BLOOM_REDIS || undefined;

if (!bloomServer) {
  console.warn(
    'SKIPPED: the native filter engine. SESSIONWISE_TEST_BLOOM_REDIS names no redis-server with BF.* commands.',
  );
}
