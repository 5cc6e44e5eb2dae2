// What a right file becomes: every key, every default, and text as it stands in the file.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../src/cli/config/load.ts';
import {
  defaultLimits,
  defaultRetention,
  fileCountProblem,
  type LabConfig,
  linuxProblem,
} from '../../src/protocol/lab.ts';

function parsed(text: string): LabConfig {
  const result = parseConfig(text, 'lab.yaml');
  assert.ok(result.ok, JSON.stringify(result));
  assert.deepEqual(result.warnings, []);
  return result.config;
}

function board(settings: string) {
  const [only] = parsed(`lab: L\nboards:\n  b: { machine: { driver: v86 }, ${settings} }\n`).boards;
  assert.ok(only);
  return only;
}

const shapeOfTheDocumentation = `
lab: Example
boards:
  sabre:   { arch: arm, isa: armv7-a, soc: imx6, cpu: cortex-a9, cores: "4", ram: 1GB, max_clk: 1Ghz, sel4_plat: "imx6:sabre", files: 1, machine: { driver: script, path: /tftpboot/sabre/reboot } }
  zcu102:  { arch: arm, files: { default: 1, linux: 2 }, linux: true, dtb: true, machine: { driver: script, path: /tftpboot/zcu102/reboot } }   # files: how many images a job brings
  pc1:     { arch: x86, files: { min: 1, max: 2 }, tags: { desk: north }, aliases: [oldpc], machine: { driver: v86, memory_mb: 32 } }
pools:
  x86_pool: [pc1]
  sabre_pool: { where: { soc: imx6 } }
`;

test('the shape of the documentation becomes the lab it describes', () => {
  const one = { min: 1, max: 1 };
  const none = { aliases: [], takesLinux: false, takesDtb: false };
  const script = (name: string) => ({ driver: 'script', path: `/tftpboot/${name}/reboot` });
  assert.deepEqual(parsed(shapeOfTheDocumentation), {
    name: 'Example',
    boards: [
      {
        ...none,
        name: 'sabre',
        attributes: {
          arch: 'arm',
          sel4_plat: 'imx6:sabre',
          isa: 'armv7-a',
          soc: 'imx6',
          cpu: 'cortex-a9',
          cores: '4',
          ram: '1GB',
          max_clk: '1Ghz',
        },
        files: { plain: one, linux: one },
        machine: script('sabre'),
      },
      {
        ...none,
        name: 'zcu102',
        attributes: { arch: 'arm' },
        files: { plain: one, linux: { min: 2, max: 2 } },
        takesLinux: true,
        takesDtb: true,
        machine: script('zcu102'),
      },
      {
        ...none,
        name: 'pc1',
        aliases: ['oldpc'],
        attributes: { arch: 'x86', desk: 'north' },
        files: { plain: { min: 1, max: 2 }, linux: { min: 1, max: 2 } },
        machine: { driver: 'v86', memoryMb: 32 },
      },
    ],
    pools: [
      { name: 'x86_pool', boards: ['pc1'], spread: false },
      { name: 'sabre_pool', boards: ['sabre'], spread: false },
    ],
    priorityHigh: [],
    force: 'anyone',
    admins: [],
    discipline: 'turns',
    gatherSeconds: 600,
    limits: defaultLimits,
    retention: defaultRetention,
  });
});

test('a lab is plain JSON, so that it can be sent as it is', () => {
  const lab = parsed(shapeOfTheDocumentation);
  assert.deepEqual(JSON.parse(JSON.stringify(lab)), lab);
});

test('keys at the top and limits arrive in their units', () => {
  const lab = parsed(`
lab: Example
boards: { b: { machine: { driver: v86 } } }
socket_group: lab
priority: { high: [ana, ci-bot] }
force: admin
admins: [root]
discipline: fifo
limits:
  tickets_per_user: 7
  queue_length: 8
  image_bytes_max: 64KB
  images_bytes_max: 3GB
  log_bytes_max: 2GB
  job_max: 1h30m
  ad_hoc_queues_per_board: 9
  boards_per_ticket: 11
  open_streams: 10
  streams_per_user: 11
  connections: 12
  uploads: 13
  console_readers: 14
  wait_max: 15m
retention: { logs: 2d, images: 3d, jobs: 4d, tickets: 5m, audit: 6d, disk_max: 7MB }
`);
  assert.equal(lab.socketGroup, 'lab');
  assert.deepEqual(lab.priorityHigh, ['ana', 'ci-bot']);
  assert.equal(lab.force, 'admin');
  assert.deepEqual(lab.admins, ['root']);
  assert.equal(lab.discipline, 'fifo');
  assert.deepEqual(lab.limits, {
    ticketsPerUser: 7,
    queueLength: 8,
    imageBytesMax: 65_536,
    imagesBytesMax: 3_221_225_472,
    logBytesMax: 2_147_483_648,
    jobSecondsMax: 5_400,
    adHocQueuesPerBoard: 9,
    boardsPerTicket: 11,
    openStreams: 10,
    streamsPerUser: 11,
    connections: 12,
    uploads: 13,
    consoleReaders: 14,
    waitSecondsMax: 900,
  });
  assert.deepEqual(lab.retention, {
    logSeconds: 172_800,
    imageSeconds: 259_200,
    jobSeconds: 345_600,
    ticketSeconds: 300,
    auditSeconds: 518_400,
    diskBytesMax: 7_340_032,
  });
});

test('numbers and booleans in attributes and tags keep the text of the file', () => {
  const { attributes } = board(
    'cores: 4, ram: 1.0, max_clk: 012, cpu: 0x10, tags: { on: yes, ready: true, 7: 1e3 }',
  );
  assert.deepEqual(attributes, {
    cores: '4',
    ram: '1.0',
    max_clk: '012',
    cpu: '0x10',
    on: 'yes',
    ready: 'true',
    7: '1e3',
  });
});

test('a selector compares the text of the file, not the number', () => {
  const lab = parsed(`
lab: L
boards:
  a: { cores: 4, machine: { driver: v86 } }
  b: { cores: "4", machine: { driver: v86 } }
  c: { cores: 4.0, tags: { desk: 1 }, machine: { driver: v86 } }
pools:
  four: { where: { cores: 4 } }
  tagged: { where: { desk: "1", cores: 4.0 }, spread: true }
`);
  assert.deepEqual(lab.pools, [
    { name: 'four', boards: ['a', 'b'], spread: false },
    { name: 'tagged', boards: ['c'], spread: true },
  ]);
});

test('a pool keeps its own order, and names an aliased board by its real name', () => {
  const lab = parsed(`
lab: L
boards:
  a: { aliases: [was-a], machine: { driver: v86 } }
  b: { machine: { driver: v86 } }
pools: { p: { boards: [b, was-a] } }
`);
  assert.deepEqual(lab.pools, [{ name: 'p', boards: ['b', 'a'], spread: false }]);
});

test('boards and pools keep the order of the file, whatever their names', () => {
  const names = ['constructor', 'zoo', '7', 'hasOwnProperty', '1.0', '"on"', '3'];
  const lines = names.map((name) => `  ${name}: { machine: { driver: v86 } }\n`).join('');
  const lab = parsed(`lab: L\nboards:\n${lines}pools: { zz: [zoo], 5: ["7"], 4: ["3"] }\n`);
  assert.deepEqual(
    lab.boards.map((one) => one.name),
    ['constructor', 'zoo', '7', 'hasOwnProperty', '1.0', 'on', '3'],
  );
  assert.deepEqual(
    lab.pools.map((pool) => pool.name),
    ['zz', '5', '4'],
  );
});

test('one board may borrow the settings of another by a YAML alias', () => {
  const lab = parsed('lab: L\nboards:\n  a: &pc { arch: x86, machine: { driver: v86 } }\n  b: *pc\n');
  assert.deepEqual(lab.boards[1]?.attributes, { arch: 'x86' });
});

test('an emulated PC has the memory that the file gives it', () => {
  const [pc] = parsed('lab: L\nboards: { b: { machine: { driver: v86, memory_mb: 64 } } }').boards;
  assert.deepEqual(pc?.machine, { driver: 'v86', memoryMb: 64 });
});

test('a script may have another program for power off, and has none where it is not said', () => {
  assert.deepEqual(board('').machine, { driver: 'v86', memoryMb: 32 });
  const [script] = parsed(
    'lab: L\nboards: { b: { machine: { driver: script, path: /a, power_off_path: /b } } }',
  ).boards;
  assert.deepEqual(script?.machine, { driver: 'script', path: '/a', powerOffPath: '/b' });
});

test('a job that brings as many files as the board takes is no problem, and any other number is', () => {
  const two = board('files: { default: 1, linux: { min: 1, max: 2 } }, linux: true');
  const wrong = 'Wrong number of files specified for system b';
  assert.equal(fileCountProblem(two, { count: 1, linux: false }), undefined);
  assert.equal(fileCountProblem(two, { count: 2, linux: false }), wrong);
  assert.equal(fileCountProblem(two, { count: 0, linux: true }), wrong);
  assert.equal(fileCountProblem(two, { count: 2, linux: true }), undefined);
  assert.equal(fileCountProblem(two, { count: 3, linux: true }), wrong);
});

test('Linux and a device tree are refused where the board takes none, and accepted where it does', () => {
  const plain = board('');
  const linux = board('linux: true');
  const both = board('linux: true, dtb: true');
  assert.equal(
    linuxProblem(plain, { linux: true, dtb: false }),
    'System b cannot boot Linux over the network.',
  );
  assert.equal(linuxProblem(linux, { linux: true, dtb: true }), 'System b does not accept a dtb');
  assert.equal(
    linuxProblem(both, { linux: false, dtb: true }),
    'A dtb may only be supplied when booting a linux image over the network.',
  );
  assert.equal(linuxProblem(both, { linux: true, dtb: true }), undefined);
  assert.equal(linuxProblem(plain, { linux: false, dtb: false }), undefined);
});
