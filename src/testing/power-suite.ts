// What every power driver must do, as tests: run them over a driver by giving it a switch to drive.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { PowerDriver, PowerHooks } from '../drivers/power/contract.ts';
import { neverAborted } from './board-suite.ts';

export interface PowerBench {
  readonly power: PowerDriver;
  /** Whether the switch is on. */
  readonly isOn: () => boolean;
}

export interface PowerBenches {
  readonly working: (t: TestContext) => Promise<PowerBench>;
  /** Its switch never answers. */
  readonly hanging: (t: TestContext) => Promise<PowerBench>;
  /** Its switch refuses; the words are in the error. */
  readonly refusing: (t: TestContext) => Promise<PowerBench & { readonly words: RegExp }>;
}

/** Registers the tests under this name. */
export function testPowerDriver(name: string, benches: PowerBenches): void {
  test(`${name}: the board is on, is off, is off when told twice, and the status says so`, async (t) => {
    const { power, isOn } = await benches.working(t);
    const options = { signal: neverAborted() };
    for (const on of [true, false, false]) {
      await (on ? power.powerOn({}, options) : power.powerOff({}, options));
      assert.equal(isOn(), on);
      if (power.status) assert.equal(await power.status({}, options), on ? 'on' : 'off');
    }
  });

  test(`${name}: a switch that refuses is an error with its words, and changes nothing`, async (t) => {
    const { power, isOn, words } = await benches.refusing(t);
    await assert.rejects(power.powerOn({}, { signal: neverAborted() }), words);
    await assert.rejects(power.powerOff({}, { signal: neverAborted() }), words);
    assert.equal(isOn(), false);
  });

  test(`${name}: an action that hangs ends when its signal is aborted`, async (t) => {
    const { power } = await benches.hanging(t);
    const aborting = new AbortController();
    const hooks: PowerHooks = { onChild: () => void setImmediate(() => aborting.abort()) };
    await assert.rejects(power.powerOff(hooks, { signal: aborting.signal }));
  });

  test(`${name}: a signal that is aborted already leaves the switch alone`, async (t) => {
    const { power, isOn } = await benches.working(t);
    await assert.rejects(power.powerOn({}, { signal: AbortSignal.abort() }));
    assert.equal(isOn(), false);
  });
}
