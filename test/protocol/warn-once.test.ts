import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

describe('warnOnce', () => {
  let warnOnce: typeof import('../../src/protocol/warn-once.ts').warnOnce;
  const emitted: unknown[][] = [];

  beforeEach(async () => {
    // Modules of its own, as in a process of its own.
    vi.resetModules();
    ({ warnOnce } = await import('../../src/protocol/warn-once.ts'));
    emitted.length = 0;
    vi.spyOn(process, 'emitWarning').mockImplementation((...args: unknown[]) => void emitted.push(args));
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  });

  it('warns with a code, once for each reason', () => {
    for (const reason of ['sw', 'other', 'sw', 'other']) {
      warnOnce('SESSIONWISE_NOBODY_SERVES', `nobody serves ${reason}`, reason);
    }
    warnOnce('SESSIONWISE_OVERLAP', 'two');
    warnOnce('SESSIONWISE_OVERLAP', 'two others');
    const type = 'SessionwiseWarning';
    expect(emitted).toEqual([
      ['nobody serves sw', { type, code: 'SESSIONWISE_NOBODY_SERVES' }],
      ['nobody serves other', { type, code: 'SESSIONWISE_NOBODY_SERVES' }],
      ['two', { type, code: 'SESSIONWISE_OVERLAP' }],
    ]);
  });

  it('ends after a hundred reasons: they may come from visitors', () => {
    for (let i = 0; i < 200; i += 1) warnOnce('SESSIONWISE_NOBODY_SERVES', 'nobody', String(i));
    expect(emitted).toHaveLength(100);
  });

  it('says nothing in production', () => {
    vi.stubEnv('NODE_ENV', 'production');
    warnOnce('SESSIONWISE_OVERLAP', 'two');
    expect(emitted).toEqual([]);
  });
});
