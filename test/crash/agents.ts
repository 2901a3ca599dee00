// Agents that go on through every death of Gate, and write down what they asked for and what they were told.

import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import type { GateProcess } from '../../demo/processes.ts';
import { wire } from '../support/gate.ts';
import { rawClient, type RawAnswer, type RawClient } from '../support/raw.ts';
import type { Behaviour } from '../support/upstream.ts';
import type { Site } from './site.ts';

/** What the upstream makes of a request: `late` answers after a while, `cut` takes it and says nothing. */
export type How = 'ok' | 'late' | 'fail' | 'cut';

export interface Asked {
  readonly kind: 'once' | 'keyed' | 'approved';
  readonly how: How;
  readonly body: Buffer;
  readonly sha256: string;
  /** As Gate named it in an answer. */
  intent: string | null;
  /** Whether a person was told that the approval stands. */
  isApproved: boolean;
  told: 'nothing' | 'ok' | 'failed' | 'unknown' | 'used';
  /** Whether the connection has been answered once more: the outcome before is on record by then. */
  isSettled: boolean;
}

export interface World {
  readonly site: Site;
  readonly agentKey: string;
  /** Resolves with the Gate that runs, once one does; null when the load is over. */
  running(): Promise<GateProcess>;
  isOver(): boolean;
  wasKilled(gate: GateProcess): boolean;
  /** Between 0 and 1. */
  random(): number;
  readonly asked: Asked[];
}

export const behave: Behaviour = (socket, request) => {
  const how = /"how":"(\w+)"/.exec(request.toString('latin1'))?.[1];
  if (how === 'cut') return void socket.destroy();
  const answer = `HTTP/1.1 ${how === 'fail' ? 500 : 200} X\r\nContent-Length: 2\r\n\r\n{}`;
  if (how === 'late') setTimeout(() => socket.write(answer), 4);
  else socket.write(answer);
};

/** Sends a request once; when the connection breaks, it stays without an answer. */
export async function agentOfOnce(world: World): Promise<void> {
  const connection = connect(world);
  while (!world.isOver()) {
    const asked = next(world, 'once', ['ok', 'ok', 'late', 'fail', 'cut']);
    note(asked, await connection.ask(asked, 'free', []));
  }
  await connection.close();
}

/** Repeats a request under its idempotency key until it is answered. */
export async function agentWithKeys(world: World): Promise<void> {
  const connection = connect(world);
  while (!world.isOver()) {
    // A failed one would rightly be judged and sent anew.
    const asked = next(world, 'keyed', ['ok', 'ok', 'late', 'cut']);
    while (asked.told === 'nothing') {
      note(asked, await connection.ask(asked, 'free', [`Idempotency-Key: ${asked.sha256}`]));
    }
  }
  await connection.close();
}

/** Proposes, has a person approve, and repeats the request by its intent until it is answered. */
export async function agentWithApprovals(world: World): Promise<void> {
  const connection = connect(world);
  while (!world.isOver()) {
    const asked = next(world, 'approved', ['ok', 'late', 'fail', 'cut']);
    while (asked.intent === null) {
      const answer = await connection.ask(asked, 'asks', []);
      if (answer === null) continue;
      assert.equal(answer.status, 202, answer.body);
      asked.intent = String(answer.json()['intentId']);
    }
    while (!asked.isApproved) asked.isApproved = await approve(world, asked.intent);
    while (asked.told === 'nothing') {
      note(asked, await connection.ask(asked, 'asks', [`X-Gate-Intent-Id: ${asked.intent}`]));
    }
  }
  await connection.close();
}

function next(world: World, kind: Asked['kind'], ways: readonly How[]): Asked {
  const { asked } = world;
  const how = ways[Math.floor(world.random() * ways.length)] ?? 'ok';
  const body = Buffer.from(`{"n":${asked.length},"how":"${how}","fill":"`.padEnd(1_022, 'x') + '"}');
  const sha256 = hash('sha256', body, 'hex');
  const made: Asked = { kind, how, body, sha256, intent: null, isApproved: false, told: 'nothing', isSettled: false };
  asked.push(made);
  return made;
}

async function approve(world: World, intent: string): Promise<boolean> {
  const gate = await world.running();
  try {
    const { status, body } = await world.site.api(gate, 'POST', `/v1/intents/${intent}/approve`, {});
    assert.equal(status, 200, JSON.stringify(body));
    return true;
  } catch (error) {
    if (!world.wasKilled(gate)) throw error;
    return false;
  }
}

function note(asked: Asked, answer: RawAnswer | null): void {
  if (answer === null) return;
  asked.intent = answer.header('x-gate-intent-id') ?? asked.intent;
  asked.told = toldBy(answer);
}

function toldBy(answer: RawAnswer): Asked['told'] {
  if (answer.header('x-gate-status') === undefined) return answer.status === 200 ? 'ok' : 'failed';
  const reason = answer.json()['reason_code'];
  assert.ok(reason === 'outcome_unknown' || reason === 'already_used', answer.body);
  return reason === 'outcome_unknown' ? 'unknown' : 'used';
}

/** One connection to whichever Gate runs; null stands for an answer that Gate's death kept back. */
function connect(world: World) {
  let open: { readonly gate: GateProcess; readonly client: RawClient } | null = null;
  let last: Asked | null = null;
  return {
    ask: async (asked: Asked, policy: string, headers: readonly string[]): Promise<RawAnswer | null> => {
      const gate = await world.running();
      if (open?.gate !== gate) {
        open?.client.end();
        open = { gate, client: rawClient(gate.proxyPort) };
        last = null;
      }
      const { client } = open;
      client.send(wire({ url: `http://${policy}.test/v1/things`, key: world.agentKey, headers, body: asked.body }));
      try {
        const answer = await client.answer();
        // Of one request's two answers, its 202 and its outcome, neither settles the other.
        if (last !== null && last !== asked) last.isSettled = true;
        last = asked;
        return answer;
      } catch (error) {
        if (!world.wasKilled(gate)) throw error;
        return null;
      }
    },
    close: async () => {
      open?.client.socket.end();
      await open?.client.closed();
    },
  };
}
