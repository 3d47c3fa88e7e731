import { describe, expect, it } from 'vitest';
import { type CommandName, encodePayload, isWriting } from '../../src/protocol/index.ts';

describe('the commands of protocol v1', () => {
  const writing: Record<CommandName, boolean> = {
    pageview: true,
    'session-analytics': false,
    combo: false,
    featuredpages: false,
    surface: false,
    notifications: false,
    'mark-notification-seen': true,
    'mark-item-seen': true,
  };

  it.each(Object.entries(writing))('%s writes: %s', (command, writes) => {
    expect(isWriting(command)).toBe(writes);
  });

  it('know no other names', () => {
    expect(['', 'Pageview', 'toString', 'page'].some(isWriting)).toBe(false);
  });

  it('take strings verbatim and everything else as JSON', () => {
    expect(encodePayload('/a "b"')).toBe('/a "b"');
    expect(encodePayload('')).toBe('');
    expect(encodePayload(['/a'])).toBe('["/a"]');
    expect(encodePayload({ path: '/a', at: 1 })).toBe('{"path":"/a","at":1}');
  });
});
