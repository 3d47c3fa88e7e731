import { describe, expect, it } from 'vitest';
import {
  CANONICAL_COMMANDS,
  COMMAND_NAMES,
  type CommandName,
  canonicalCommand,
  encodePayload,
  isKnownCommand,
  isQuestion,
  isWriting,
  mustKeep,
} from '../../src/protocol/index.ts';

describe('the commands of protocol v1', () => {
  const writing: Record<CommandName, boolean> = {
    active: true,
    pageview: true,
    'session-analytics': false,
    combo: false,
    segments: false,
    featuredpages: false,
    surface: false,
    notifications: false,
    notices: false,
    'notice-counts': false,
    'mark-notices': true,
    'mute-groups': true,
    'publish-notice': false,
    'edit-notice': false,
    'withdraw-notice': false,
    'set-group': false,
    'list-notices': false,
    'notice-stats': false,
    live: false,
    'mark-notification-seen': true,
    'mark-suggestions': true,
    track: true,
    'mark-item-seen': true,
    robots: true,
    identify: false,
    together: false,
  };

  it.each(Object.entries(writing))('%s writes: %s', (command, writes) => {
    expect(isWriting(command)).toBe(writes);
  });

  it('must not be dropped silently where they note what a visitor did', () => {
    const kept = [
      'mark-notices',
      'mute-groups',
      'mark-notification-seen',
      'mark-item-seen',
      'track',
      'mark-suggestions',
    ];
    expect(COMMAND_NAMES.filter(mustKeep)).toEqual(kept);
  });

  it('may be parts of `together` where they only ask', () => {
    const asking = COMMAND_NAMES.filter((name) => !writing[name] && name !== 'together');
    expect(COMMAND_NAMES.filter(isQuestion)).toEqual(asking);
    expect(asking).toHaveLength(16);
    expect(['page', ''].some(isQuestion)).toBe(false);
  });

  it('know no other names', () => {
    const others = ['', 'Pageview', 'toString', 'page'];
    expect(others.some((name) => isKnownCommand(name) || isWriting(name) || mustKeep(name))).toBe(false);
    expect(others.map(canonicalCommand)).toEqual(others);
  });

  it('have one first name each, and an alias is not one', () => {
    expect(canonicalCommand('featuredpages')).toBe('surface');
    expect(CANONICAL_COMMANDS.map(canonicalCommand)).toEqual(CANONICAL_COMMANDS);
    expect([...new Set(COMMAND_NAMES.map(canonicalCommand))]).toEqual(CANONICAL_COMMANDS);
  });

  it('take strings verbatim and everything else as JSON', () => {
    expect(encodePayload('/a "b"')).toBe('/a "b"');
    expect(encodePayload('')).toBe('');
    expect(encodePayload(['/a'])).toBe('["/a"]');
    expect(encodePayload({ path: '/a', at: 1 })).toBe('{"path":"/a","at":1}');
  });
});
