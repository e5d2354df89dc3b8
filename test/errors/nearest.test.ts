import { describe, expect, test } from 'vitest';
import { nearest } from '../../src/errors/nearest.js';

const names = ['network.http', 'network.socket', 'filesystem.read', 'filesystem.write', 'hosts'];

describe('nearest', () => {
  test.each([
    ['network.htp', 'network.http'],
    ['netwrok.http', 'network.http'],
    ['Network.HTTP', 'network.http'],
    ['filesystem.raed', 'filesystem.read'],
    ['host', 'hosts'],
    ['hosst', 'hosts'],
    ['hots', 'hosts'],
  ])('%s is taken for %s', (word, meant) => {
    expect(nearest(word, names)).toBe(meant);
  });

  test.each(['', 'x', 'ghost.writer', 'mail.send', 'a'.repeat(65)])('%s resembles none', (word) => {
    expect(nearest(word, names)).toBeUndefined();
  });

  test('a word of one letter is no misspelling of another', () => {
    expect(nearest('a', ['b', 'c'])).toBeUndefined();
  });

  test('the nearest wins, and among equals the first', () => {
    expect(nearest('path', ['pathss', 'paths', 'bath'])).toBe('paths');
    expect(nearest('read', ['reads', 'ready'])).toBe('reads');
    expect(nearest('read', ['reads', 'read'])).toBe('read');
  });

  test('candidates that are no words are never suggested', () => {
    expect(nearest('a'.repeat(64), ['a'.repeat(65), ''])).toBeUndefined();
  });
});
