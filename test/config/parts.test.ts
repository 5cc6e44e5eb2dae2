// Boards by parts in a lab's file: what the agent gets of them, and what is said of a wrong one.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { loadConfig, parseConfig } from '../../src/cli/config/load.ts';
import { formatProblem } from '../../src/cli/config/problem.ts';

const console = 'console: { driver: tcp, host: ser1, port: 4001 }';
const boot = 'boot: { driver: copy, to: /t/kernel }';
const power = 'power: { driver: command, power_on: [pdu, "on"], power_off: [pdu, "off"] }';
const unit =
  'pdu3: { driver: command, power_on: [pdu, "{address}", "{outlet}"], power_off: [p], address: a }';

function machineOf(text: string) {
  const result = parseConfig(text, 'lab.yaml');
  assert.ok(result.ok, JSON.stringify(result));
  return result.config.boards[0]?.machine;
}

/** The problems of a file, or its warnings where there are none, each as it is printed. */
function said(text: string): string[] {
  const result = parseConfig(text, 'lab.yaml');
  return (result.ok ? result.warnings : result.problems).map(formatProblem);
}

/** The same for a board's settings, which begin at line 3, column 8; and for power units in line 4. */
function saidOfBoard(settings: string, units?: string): string[] {
  const more = units === undefined ? '' : `power_units: { ${units} }\n`;
  return said(`lab: L\nboards:\n  b: { ${settings} }\n${more}`);
}

test('a board on a power unit gets the commands of the unit, with its own place in them', () => {
  const machine = machineOf(`
lab: L
power_units:
  pdu3:
    driver: command
    power_on: [pdu, "--to={address}", "{outlet}", on, 3, 1.0, true, "{other} {board}"]
    power_off: [pdu, "{address}", "{outlet}", off]
    status: [pdu, "{address}", "{outlet}"]
    address: pdu3 {outlet}.lab
    env: { PDU_USER: lab, PDU_PASSWORD: { env: PDU_PASSWORD }, PDU_KEY: { file: /etc/pdu } }
    timeout: 5s
    retries: 2
boards:
  b1: { power: { unit: pdu3, outlet: 07 }, ${console}, ${boot} }
`);
  const address = 'pdu3 {outlet}.lab';
  assert.deepEqual(machine?.driver === 'parts' && machine.power, {
    driver: 'command',
    powerOn: ['pdu', `--to=${address}`, '07', 'on', '3', '1.0', 'true', '{other} b1'],
    powerOff: ['pdu', address, '07', 'off'],
    status: ['pdu', address, '07'],
    env: { PDU_USER: 'lab', PDU_PASSWORD: { env: 'PDU_PASSWORD' }, PDU_KEY: { file: '/etc/pdu' } },
    timeoutSeconds: 5,
    retries: 2,
  });
});

test('a type may have parts, and its boards put their names and their own parts into them', () => {
  const machine = machineOf(`
lab: L
types:
  tx2:
    console: { driver: exec, command: [console, -M, cons1, "{board}"], reconnect_within: 2m }
    boot: { driver: copy, to: "/t/{board}/k", second_to: "/t/{board}/r", dtb_to: "/t/{board}/d", bitstream_to: "/t/{board}/b" }
    ${power}
boards:
  b1: { type: tx2, power: { driver: command, power_on: [own, "{board}"], power_off: [own] } }
`);
  assert.deepEqual(machine, {
    driver: 'parts',
    power: {
      driver: 'command',
      powerOn: ['own', 'b1'],
      powerOff: ['own'],
      timeoutSeconds: 10,
      retries: 1,
    },
    console: {
      driver: 'exec',
      command: ['console', '-M', 'cons1', 'b1'],
      connectSeconds: 10,
      reconnectSeconds: 120,
    },
    boot: { driver: 'copy', to: '/t/b1/k', secondTo: '/t/b1/r', dtbTo: '/t/b1/d', bitstreamTo: '/t/b1/b' },
  });
});

test('a board in QEMU has its words as they are written', () => {
  const machine = machineOf(`
lab: L
boards:
  q: { machine: { driver: qemu, program: qemu-system-arm, machine: virt, cpu: 11, memory_mb: 64, arguments: [-smp, 2] } }
`);
  assert.deepEqual(machine, {
    ...{ driver: 'qemu', program: 'qemu-system-arm', machine: 'virt', cpu: '11', memoryMb: 64 },
    arguments: ['-smp', '2'],
  });
});

test('bare on and off get the names of the keys that they should be', () => {
  const settings = (keys: string) => `power: { driver: command, ${keys} }, ${console}, ${boot}`;
  assert.deepEqual(saidOfBoard(settings('on: [pdu], off: [pdu]')), [
    "lab.yaml:3:34: unknown key 'on' in power of board 'b'. Write power_on: a bare on is a boolean to many YAML readers",
    "lab.yaml:3:45: unknown key 'off' in power of board 'b'. Write power_off: a bare off is a boolean to many YAML readers",
  ]);
  const plain = `power: { unit: pdu3 }, ${console}, ${boot}`;
  assert.deepEqual(saidOfBoard(plain, 'pdu3: { driver: command, on: [p], power_off: [p] }'), [
    "lab.yaml:4:41: unknown key 'on' in power unit 'pdu3'. Write power_on: a bare on is a boolean to many YAML readers",
  ]);
});

const faults: [settings: string, ...messages: string[]][] = [
  [`${power}, ${boot}`, "3: missing key 'console' in board 'b', which is by parts: power, console and boot"],
  [`${power}, ${console}, bott: {}`, "77+: unknown key 'bott' in board 'b'. Did you mean 'boot'?"],
  [
    `machine: { driver: v86 }, ${power}`,
    "34: board 'b' has both machine and power. Keep machine, or power, console and boot",
  ],
  [
    `power: { driver: command, power_on: [p] }, ${console}, ${boot}`,
    "8: missing key 'power_off' in power of board 'b'",
  ],
  [
    `power: {}, ${console}, ${boot}`,
    "8: power of board 'b' is empty. Write unit and outlet, or driver, power_on and power_off",
  ],
  [
    `power: { driver: comand, power_on: [p], power_off: [p] }, ${console}, ${boot}`,
    "25: driver of power of board 'b' must be command, not 'comand'. Did you mean 'command'?",
  ],
  [
    `power: { driver: command, power_on: pdu, power_off: [] }, ${console}, ${boot}`,
    '44: power_on of power of board \'b\' must be a program and its words, such as [pdu, "on", "3"], not \'pdu\'',
    '60: power_off of power of board \'b\' must be a program and its words, such as [pdu, "on", "3"], not a list',
  ],
  [
    `power: { driver: command, power_on: [p, "{bord}"], power_off: [p] }, ${console}, ${boot}`,
    "48: {bord} in entry 2 of power_on of power of board 'b' stands for nothing. Did you mean {board}?",
  ],
  [
    `power: { driver: command, power_on: [p, "{outlet}"], power_off: [p] }, ${console}, ${boot}`,
    "48: {outlet} in entry 2 of power_on of power of board 'b' stands for nothing",
  ],
  [
    `power: { driver: command, power_on: [p], power_off: [p], timeout: 1m }, ${console}, ${boot}`,
    "74: timeout in power of board 'b' is too much: a power off has 30 s for all its tries. With 2 tries, a timeout may be 13s",
  ],
  [
    `power: { driver: command, power_on: [p], power_off: [p], outlet: 3 }, ${console}, ${boot}`,
    "65: outlet in power of board 'b' belongs to a power unit. Write unit too",
  ],
  [
    `${power}, console: { driver: tpc, host: h }, ${boot}`,
    "103: unknown driver 'tpc' in console of board 'b'. Did you mean 'tcp'?",
  ],
  [
    `${power}, console: { driver: tcp, host: h, port: 70000 }, ${boot}`,
    "123: port of console of board 'b' must be a whole number from 1 to 65535, not '70000'",
  ],
  [
    `${power}, ${console}, boot: { driver: copy, to: t/kernel }`,
    "160: to of boot of board 'b' must be an absolute path, not 't/kernel'",
  ],
];
for (const [settings, ...messages] of faults) {
  test(`said of { ${settings.slice(0, 70)} … }`, () => {
    const problems = saidOfBoard(settings);
    assert.deepEqual(
      problems.map((text) => text.replace(/^lab\.yaml:3:\d+: /, '')),
      messages.map((text) => text.replace(/^\d+\+?: /, '')),
    );
    const columns = problems.map((text) => /^lab\.yaml:3:(\d+):/.exec(text)?.[1]);
    const wanted = messages.map((text) => /^(\d+): /.exec(text)?.[1]);
    assert.deepEqual(
      columns.filter((_, index) => wanted[index]),
      wanted.filter(Boolean),
    );
  });
}

test('a unit that is not there, an outlet that is missing and settings that are the unit’s are told', () => {
  const on = (settings: string, units = unit) =>
    saidOfBoard(`power: { ${settings} }, ${console}, ${boot}`, units);
  assert.deepEqual(on('unit: pdu3, outlet: 1'), []);
  assert.deepEqual(on('unit: pdu4, outlet: 1'), [
    "lab.yaml:3:23: unknown power unit 'pdu4' in power of board 'b'. Did you mean 'pdu3'?",
  ]);
  assert.deepEqual(on('unit: pdu3'), [
    "lab.yaml:3:8: missing key 'outlet' in power of board 'b': the commands of power unit 'pdu3' have {outlet}",
  ]);
  assert.deepEqual(on('unit: pdu3, outlet: 1, retries: 0'), [
    "lab.yaml:3:40: retries in power of board 'b' belongs to the power unit. Keep unit, or the settings of a driver",
  ]);
  assert.deepEqual(on('unit: u', 'u: { driver: command, power_on: [p, "{address}"], power_off: [p] }'), [
    "lab.yaml:4:52: {address} in entry 2 of power_on of power unit 'u' stands for nothing",
  ]);
  assert.match(on('unit: u', 'u:').join('\n'), /^lab\.yaml:4:\d+: .*'u'/m, 'one that is empty');
});

test('what a board takes and its boot has no place for is a warning', () => {
  assert.deepEqual(
    saidOfBoard(`${power}, ${console}, ${boot}, files: { min: 1, max: 2 }, linux: true, dtb: true`),
    [
      "lab.yaml:3:134: board 'b' takes 2 images, and its boot has no second_to for the second",
      "lab.yaml:3:134: board 'b' takes a dtb, and its boot has no dtb_to",
    ],
  );
});

async function loadWith(t: TestContext, secret: string): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'parts-config-'));
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'secret'), 'hunter2\n');
  await writeFile(join(folder, 'empty'), '');
  const path = join(folder, 'lab.yaml');
  const text = `lab: L\nboards:\n  b: { power: { unit: u }, ${console}, ${boot} }\npower_units:\n  u:\n    driver: command
    power_on: [p]\n    power_off: [p]\n    env:\n      PASSWORD: ${secret.replace('DIR', folder)}\n`;
  await writeFile(path, text);
  const result = await loadConfig(path, { looksAround: true });
  assert.ok(!JSON.stringify(result).includes('hunter2'));
  return (result.ok ? [] : result.problems).map((problem) =>
    formatProblem(problem).replaceAll(folder, 'DIR'),
  );
}

test('a secret that is where the file says is no problem, and is not in what is loaded', async (t) => {
  process.env.TEST_PARTS_SECRET = 'hunter2';
  t.after(() => delete process.env.TEST_PARTS_SECRET);
  assert.deepEqual(await loadWith(t, '{ env: TEST_PARTS_SECRET }'), []);
  assert.deepEqual(await loadWith(t, '{ file: DIR/secret }'), []);
});

test('a secret that is not there is a problem with its place', async (t) => {
  const thing = "PASSWORD of env of power unit 'u'";
  assert.deepEqual(await loadWith(t, '{ env: TEST_NO_SECRET }'), [
    `DIR/lab.yaml:10:17: there is no secret for ${thing}: the environment variable TEST_NO_SECRET is not set`,
  ]);
  assert.deepEqual(await loadWith(t, '{ file: DIR/empty }'), [
    `DIR/lab.yaml:10:17: there is no secret for ${thing}: DIR/empty is empty`,
  ]);
  const [missing = ''] = await loadWith(t, '{ file: DIR/none }');
  assert.match(missing, /^DIR\/lab\.yaml:10:17: there is no secret for .*ENOENT.*DIR\/none'$/);
  assert.deepEqual(await loadWith(t, '{ evn: X }'), [
    `DIR/lab.yaml:10:19: unknown key 'evn' in ${thing}. Did you mean 'env'?`,
  ]);
});
