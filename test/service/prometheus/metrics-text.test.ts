import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { Counter } from '../../../src/service/prometheus/counter.ts';
import { Gauge } from '../../../src/service/prometheus/gauge.ts';
import { Histogram } from '../../../src/service/prometheus/histogram.ts';
import { Registry } from '../../../src/service/prometheus/registry.ts';
import { findPromtool } from '../../support/find-promtool.ts';

const promtool = findPromtool();

describe('metrics as text', () => {
  it('a counter has a line for each combination of labels, and without labels one from the start', async () => {
    const plain = new Counter({ name: 'lost_total', help: 'What was lost.' });
    expect(await plain.text()).toBe('# HELP lost_total What was lost.\n# TYPE lost_total counter\nlost_total 0\n');
    const labelled = new Counter({ name: 'marks_total', help: 'Marks.', labelNames: ['rule', 'as'] });
    expect(await labelled.text()).toBe('# HELP marks_total Marks.\n# TYPE marks_total counter\n');
    labelled.inc({ as: 'seen', rule: 'a' }, 2);
    labelled.inc({ rule: 'a', as: 'seen' });
    labelled.labels({ rule: 'b', as: 'seen' }).inc();
    expect((await labelled.text()).split('\n').slice(2)).toEqual([
      'marks_total{rule="a",as="seen"} 3',
      'marks_total{rule="b",as="seen"} 1',
      '',
    ]);
  });

  it('a histogram counts a value in each bucket that its bound reaches', async () => {
    const seconds = new Histogram({ name: 'seconds', help: 'Time.', labelNames: ['command'], bounds: [0.001, 0.1] });
    for (const value of [0.0005, 0.001, 0.05, 2]) seconds.labels({ command: 'a' }).observe(value);
    expect((await seconds.text()).split('\n').slice(2)).toEqual([
      'seconds_bucket{command="a",le="0.001"} 2',
      'seconds_bucket{command="a",le="0.1"} 3',
      'seconds_bucket{command="a",le="+Inf"} 4',
      'seconds_sum{command="a"} 2.0515',
      'seconds_count{command="a"} 4',
      '',
    ]);
  });

  it('a gauge is read when it is collected, and forgets what is gone', async () => {
    let names = ['a', 'b'];
    const reach: Gauge<'notice'> = new Gauge({
      name: 'reach',
      help: 'Reach.',
      labelNames: ['notice'],
      collect: async () => {
        reach.reset();
        for (const notice of names) reach.set({ notice }, notice.length);
      },
    });
    expect(await reach.samples()).toHaveLength(2);
    names = ['cc'];
    expect(await reach.samples()).toEqual([{ name: 'reach', labels: { notice: 'cc' }, value: 2 }]);
  });

  it('labels and sentences of any text do not break a line', async () => {
    const counter = new Counter({ name: 'n_total', help: 'a\\b\nc', labelNames: ['of'] });
    counter.inc({ of: 'x"y\\z\n{},=' });
    expect(await counter.text()).toBe(
      '# HELP n_total a\\\\b\\nc\n# TYPE n_total counter\nn_total{of="x\\"y\\\\z\\n{},="} 1\n',
    );
  });

  it.skipIf(promtool === undefined)('promtool reads all of it, and has nothing to say about it', async () => {
    const registry = new Registry();
    const counter = registry.add(new Counter({ name: 'n_total', help: 'a\\b\nc', labelNames: ['of'] }));
    counter.inc({ of: 'x"y\\z\n{},=' });
    registry.add(new Gauge({ name: 'g', help: 'A figure.' })).set({}, -1.5e-7);
    const seconds = registry.add(new Histogram({ name: 'h_seconds', help: 'Time.', bounds: [0.1, 1] }));
    seconds.labels({}).observe(0.5);
    const input = await registry.text();
    expect(execFileSync(promtool!, ['check', 'metrics'], { input, encoding: 'utf8' })).toBe('');
  });
});
