// What looking for terms costs: 1000 terms against 10, on 1 KiB and 100 KiB of plain text, median µs of interleaved runs.

import { compileTerms } from '../control/policy/content/terms.ts';
import { findTerm } from '../control/policy/content/views.ts';
import { Normaliser, sliceLength } from '../core/text.ts';

const sizes = [1024, 100 * 1024];
const rounds = 60;

function words(count: number, seed: number): string[] {
  let state = seed;
  const draw = (below: number) => {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return (state >> 8) % below;
  };
  const letters = 'etaoinshrdlucmfwypvbgk';
  return Array.from({ length: count }, () =>
    Array.from({ length: 3 + draw(8) }, () => letters.charAt(draw(draw(22) + 1))).join(''),
  );
}

function termsOf(count: number): string[] {
  const parts = words(2 * count, 99);
  return Array.from({ length: count }, (_, index) => `${parts[2 * index]}q ${parts[2 * index + 1]}`);
}

async function microseconds(times: number, work: () => unknown): Promise<number> {
  const from = process.hrtime.bigint();
  for (let run = 0; run < times; run++) await work();
  return Number(process.hrtime.bigint() - from) / times / 1000;
}

/** Without the await of `microseconds`, which would weigh on the smallest. */
function plainly(times: number, work: () => unknown): () => void {
  return () => {
    for (let run = 0; run < times; run++) work();
  };
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

const few = compileTerms(termsOf(10));
const many = compileTerms(termsOf(1000));
for (const size of sizes) {
  const text = words(size / 5, 7)
    .join(' ')
    .slice(0, size);
  const times = Math.ceil((200 * 1024) / size);
  const normaliser = new Normaliser();
  const work = {
    normalise: plainly(times, () => {
      for (let from = 0; from < size; from += sliceLength)
        normaliser.push(text, from, Math.min(size, from + sliceLength));
      normaliser.end();
    }),
    few: plainly(times, () => few.find(text)),
    many: plainly(times, () => many.find(text)),
  };
  const taken = { normalise: [] as number[], few: [] as number[], many: [] as number[], views: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    taken.normalise.push((await microseconds(1, work.normalise)) / times);
    taken.few.push((await microseconds(1, work.few)) / times);
    taken.many.push((await microseconds(1, work.many)) / times);
    taken.views.push(await microseconds(times, () => findTerm(many, { strings: [text], verbatim: [] })));
  }
  const [normalise, ten, thousand] = [median(taken.normalise), median(taken.few), median(taken.many)];
  const line = [
    `${size / 1024} KiB`,
    `normalise ${normalise.toFixed(1)} µs`,
    `10 terms ${ten.toFixed(1)} µs`,
    `1000 terms ${thousand.toFixed(1)} µs`,
    `scan alone ${(thousand - normalise).toFixed(1)} µs`,
    `with views ${median(taken.views).toFixed(1)} µs`,
    `1000 / 10 terms ${(thousand / ten).toFixed(2)}`,
  ];
  console.log(line.join(' · '));
}
