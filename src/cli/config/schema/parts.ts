/** A board by parts: its power, its console and how it boots; and the units that switch the power of many boards. */
import { type Static, Type } from 'typebox';
import {
  absolutePath,
  closed,
  duration,
  flag,
  name,
  named,
  type Scalar,
  text,
  wholeNumber,
} from './values.ts';

/** A program and its words; numbers and booleans are taken as they are written. */
const command = (description: string) =>
  Type.Unsafe<Scalar[]>({
    type: 'array',
    minItems: 1,
    maxItems: 256,
    items: {
      type: ['string', 'number', 'boolean'],
      pattern: '^[^\\u0000-\\u001f\\u007f]*$',
      maxLength: 4096,
      title: 'text on one line',
    },
    title: 'a program and its words, such as [pdu, "on", "3"]',
    description,
  });

export type SourceSecret = Scalar | { env?: string; file?: string };

const variableName = {
  pattern: '^[A-Za-z_][A-Za-z0-9_]*$',
  maxLength: 200,
  title: 'the name of an environment variable',
};

const secret = Type.Unsafe<SourceSecret>({
  type: ['string', 'number', 'boolean', 'object'],
  pattern: '^[^\\u0000]*$',
  maxLength: 4096,
  minProperties: 1,
  maxProperties: 1,
  ...closed,
  properties: {
    env: Type.String({
      ...variableName,
      description: 'The variable of the agent’s environment that has it.',
    }),
    file: absolutePath('The file that has it, and nothing else.'),
  },
  title: 'text, { env: NAME } or { file: PATH }',
  description: 'A value; for a secret, where it is.',
});

const powerSettings = {
  driver: Type.Unsafe<'command'>({ enum: ['command'], title: 'command', description: 'How it is switched.' }),
  power_on: command('Switches the board on. Words may hold {board}, {outlet} and {address}.'),
  power_off: command('Switches the board off; done twice is fine.'),
  status: Type.Optional(command('Prints on or off.')),
  env: Type.Optional(
    Type.Record(Type.String(), secret, {
      propertyNames: { type: 'string', ...variableName },
      title: 'a mapping of variables',
      description: 'For the environment of these programs, credentials above all.',
    }),
  ),
  timeout: Type.Optional(duration('The longest that one try may take.', '10s')),
  retries: Type.Optional(
    wholeNumber('Further tries after one that failed or took too long.', {
      minimum: 0,
      maximum: 10,
      default: 1,
    }),
  ),
};

export const powerUnits = named(
  Type.Object(
    { ...powerSettings, address: Type.Optional(text('Where the unit is; stands for {address}.')) },
    { ...closed, title: 'the settings of a power unit', description: 'Switches the power of boards.' },
  ),
  { title: 'a mapping of power units', description: 'What switches the power of several boards, by name.' },
);

/** Which of these belong together is in ../check-parts.ts. */
export interface SourcePower extends Partial<Static<typeof powerUnits>[string]> {
  unit?: string;
  outlet?: Scalar;
}

const powerProperties = {
  unit: name('The power unit that this board is on.'),
  outlet: text('Its outlet there; stands for {outlet}.'),
  ...powerSettings,
};
export const powerKeys = Object.keys(powerProperties);

export const power = Type.Unsafe<SourcePower>({
  type: 'object',
  properties: powerProperties,
  ...closed,
  title: '{ unit, outlet } or { driver: command, power_on, power_off }',
  description: 'What switches the board on and off.',
});

const consoleLimits = {
  connect_within: Type.Optional(duration('The longest that it may take to open the console.', '10s')),
  reconnect_within: Type.Optional(
    duration('The longest that a console which drops may be away before the job ends.', '30s'),
  ),
};
const tcp = Type.Object(
  {
    driver: Type.Literal('tcp'),
    host: Type.String({
      pattern: '^[^\\s\\u0000-\\u001f\\u007f]+$',
      maxLength: 255,
      title: 'the name or address of a host',
      description: 'The console server; {board} stands for the name of the board.',
    }),
    port: wholeNumber('Its port for this board.', { minimum: 1, maximum: 65_535 }),
    telnet: Type.Optional(flag('The server speaks Telnet, which is taken out of the bytes.')),
    ...consoleLimits,
  },
  { ...closed, title: 'the settings of a TCP console' },
);
const exec = Type.Object(
  {
    driver: Type.Literal('exec'),
    command: command('Its input and output are the console. Words may hold {board}.'),
    ...consoleLimits,
  },
  { ...closed, title: 'the settings of a console program' },
);

export const console = Type.Unsafe<Static<typeof tcp> | Static<typeof exec>>({
  type: 'object',
  required: ['driver'],
  discriminator: { propertyName: 'driver' },
  oneOf: [tcp, exec],
  title: 'the settings of a driver, such as { driver: tcp, host: ser1, port: 4003 }',
  description: 'The serial console of the board.',
});

const copy = Type.Object(
  {
    driver: Type.Literal('copy'),
    to: absolutePath('Where the image goes; {board} stands for the name of the board.'),
    second_to: Type.Optional(absolutePath('Where a second image goes.')),
    dtb_to: Type.Optional(absolutePath('Where a device tree (-b) goes.')),
    bitstream_to: Type.Optional(absolutePath('Where a bitstream (--bitstream) goes.')),
  },
  { ...closed, title: 'the settings of a boot by copy' },
);

export const boot = Type.Unsafe<Static<typeof copy>>({
  type: 'object',
  required: ['driver'],
  discriminator: { propertyName: 'driver' },
  oneOf: [copy],
  title: 'the settings of a driver, such as { driver: copy, to: /tftpboot/b1/kernel }',
  description: 'How an image gets to the board.',
});

export type SourcePowerUnits = Static<typeof powerUnits>;
export type SourceConsole = Static<typeof console>;
export type SourceBoot = Static<typeof boot>;
