/* treated-elsewhere.ts: blocks of text that show what a program prints, or another form, and what holds them. Few have only a
 * reason: keep it so. */

/** A document, some text of a block in it, and the test that holds it or the reason why none does. */
export const TREATED_ELSEWHERE: readonly (readonly [file: string, part: string, by: string])[] = [
  ['README.md', '$ alias visit=', 'test/examples/readme.test.ts'],
  ['docs/operations.md', 'ACL SETUSER app', 'test/cli/acl.test.ts'],
  ['docs/operations.md', 'appendonly yes', 'reason: settings of Redis, with which test/faults starts it'],
  ['docs/architecture.md', 'HTTP request -> express', 'reason: a drawing'],
  ['docs/protocol.md', 'MULTI', 'reason: the form of a reply, which test/transport/transports.test.ts plays'],
  ['docs/protocol.md', '{"error":', 'reason: the form of an error, which the wire examples play'],
  [
    'docs/protocol.md',
    "if redis.call('XLEN'",
    'reason: for other languages; test/transport/stream-lengths.test.ts plays its like',
  ],
  ['docs/commands.md', 'The shop is open', 'test/cli/demo.test.ts'],
  [
    'docs/commands.md',
    'access.log.gz: 6,000 requests',
    'reason: the log is not ours to ship; test/cli/replay plays others',
  ],
  ['docs/commands.md', '45/1795246341071-0', 'test/cli/deadletters.test.ts'],
  ['docs/discover.md', 'groceries.csv.gz: 9,835', 'test/discover/groceries.test.ts, where the set is there'],
  ['docs/discover.md', 'pages.json on access.log', 'test/cli/rules'],
  ['docs/rules.md', 'shown 1,204, taken 87', 'test/cli/rules'],
  ['examples/python/README.md', "ok    session_of('sessionwise')", 'test/examples/python.test.ts'],
];

/** Documents whose code is that of `examples/`, or has its types from a framework: a test of their own compares and runs
 *  it. */
export const CODE_OF_EXAMPLES: readonly string[] = ['docs/frameworks.md', 'docs/recipes/nestjs.md'];

/** Blocks of docs/protocol.md that test/protocol/protocol-document.test.ts runs. */
export const OF_THE_PROTOCOL: readonly string[] = ['wire', 'vectors', 'persons', 'tags', 'partitions', 'sealed'];
