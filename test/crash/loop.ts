// Kills Gate again and again under load, at moments that a seed gives, and gathers what everybody saw of it.

import Database from 'better-sqlite3';
import { hash } from 'node:crypto';
import { setTimeout as after } from 'node:timers/promises';
import type { GateProcess } from '../../demo/processes.ts';
import { agentOfOnce, agentWithApprovals, agentWithKeys, behave, type Asked, type World } from './agents.ts';
import { allIntents, allTrails, openSite, type ListedIntent, type Site } from './site.ts';

export interface Evidence {
  readonly kills: number;
  readonly asked: readonly Asked[];
  /** How often the upstream received each body, by its digest. */
  readonly received: ReadonlyMap<string, number>;
  readonly intents: readonly ListedIntent[];
  readonly trails: ReadonlyMap<string, readonly string[]>;
  readonly audit: { readonly exitCode: number | null; readonly output: string };
  readonly integrity: unknown;
}

const policies = {
  free: 'id: free\nauto_approve_under: 1\n',
  asks: 'id: asks\nrequire_approval: always\nexpiry_minutes: 60\n',
};
/** Requests that may reach the upstream between a start and its kill. */
const maxArrivals = 80;
const maxDelayMs = 8;
/** Longer than a start takes with its code compiled before. */
const startMs = 800;
/** Kills that fall into the very first starts, where keys and database are made. */
const firstStarts = 2;

export async function crashLoop(seed: number, kills: number): Promise<Evidence> {
  const random = randomOf(seed);
  const arrivals = countArrivals();
  const site = await openSite(policies, (socket, request, index) => {
    arrivals.one();
    behave(socket, request, index);
  });
  try {
    for (let n = 0; n < firstStarts; n++) await site.startAndKill(random() * startMs);
    const gates = await load(site, random, async (gates, kill) => {
      for (let n = firstStarts; n < kills; n++) {
        // Of the starts that follow, one in five is not survived either.
        if (random() < 0.2) {
          await site.startAndKill(random() * startMs);
          continue;
        }
        await gates.start();
        await arrivals.after(Math.floor(random() * maxArrivals));
        await after(random() * maxDelayMs);
        await kill();
      }
    });
    const [intents, trails] = [await allIntents(site, gates.last), await allTrails(site, gates.last)];
    await gates.last.stop();
    const received = counted(site.upstream.requests.map(bodyDigest));
    const { asked } = gates;
    return { kills, asked, received, intents, trails, audit: await site.verifyAudit(), integrity: check(site) };
  } finally {
    await site.close();
  }
}

interface Gates {
  start(): Promise<void>;
}

/** Runs the agents while `course` starts and kills; then lets each come to its end before a last Gate. */
async function load(
  site: Site,
  random: () => number,
  course: (gates: Gates, kill: () => Promise<void>) => Promise<void>,
) {
  const first = await site.start();
  const agentKey = await site.registerAgent(first);
  const killed = new Set<GateProcess>([first]);
  await first.kill();

  let current = Promise.withResolvers<GateProcess>();
  let last = first;
  let isOver = false;
  const asked: Asked[] = [];
  const start = async () => {
    last = await site.start();
    current.resolve(last);
  };
  const kill = async () => {
    current = Promise.withResolvers<GateProcess>();
    killed.add(last);
    await last.kill();
  };
  const world: World = {
    site,
    agentKey,
    running: () => current.promise,
    isOver: () => isOver,
    wasKilled: (gate) => killed.has(gate),
    random,
    asked,
  };
  const of = (count: number, agent: (world: World) => Promise<void>) =>
    Array.from({ length: count }, () => agent(world));
  const agents = Promise.all([...of(12, agentOfOnce), ...of(12, agentWithKeys), ...of(8, agentWithApprovals)]);
  // An agent that finds a fault ends the loop, not only itself.
  await Promise.race([agents, course({ start }, kill)]);
  await start();
  isOver = true;
  await agents;
  return { asked, last };
}

function countArrivals() {
  let missing = 0;
  let reached: () => void = () => undefined;
  return {
    one: () => {
      if (--missing === 0) reached();
    },
    /** Resolves within the very arrival, before it is answered. */
    after: (count: number) =>
      new Promise<void>((resolve, reject) => {
        if (count === 0) return resolve();
        const deadline = setTimeout(() => reject(new Error('the load stands still')), 20_000);
        missing = count;
        reached = () => {
          clearTimeout(deadline);
          resolve();
        };
      }),
  };
}

function check(site: Site): unknown {
  const db = new Database(site.databaseFile, { readonly: true });
  try {
    return [...db.prepare('PRAGMA integrity_check').pluck().all(), ...db.prepare('PRAGMA foreign_key_check').all()];
  } finally {
    db.close();
  }
}

function bodyDigest(request: Buffer): string {
  return hash('sha256', request.subarray(request.indexOf('\r\n\r\n') + 4), 'hex');
}

function counted(digests: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const digest of digests) counts.set(digest, (counts.get(digest) ?? 0) + 1);
  return counts;
}

/** Mulberry32: the same numbers for the same seed, on any machine. */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
