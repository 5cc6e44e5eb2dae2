/** A board, and the type that several boards name. */
import { type Static, Type } from 'typebox';
import { files } from './files.ts';
import { machine } from './machine.ts';
import { boot, console, power } from './parts.ts';
import { useLimits } from './use-limits.ts';
import { closed, flag, name, named, names, text } from './values.ts';

/** The attributes that every list has a column for, in the order of `system-tsv`. */
const attributes = {
  arch: Type.Optional(text('Architecture: arm, riscv, x86.')),
  sel4_plat: Type.Optional(text('Platform name of seL4, such as imx6:sabre.')),
  isa: Type.Optional(text('Instruction set, such as armv8-a.')),
  soc: Type.Optional(text('System on chip.')),
  cpu: Type.Optional(text('Processor.')),
  cores: Type.Optional(text('Number of cores.')),
  ram: Type.Optional(text('Memory, such as 4GB.')),
  max_clk: Type.Optional(text('Highest clock rate.')),
};
export const attributeNames = Object.keys(attributes) as (keyof typeof attributes)[];

/** What a board has, and what its type may have for it. */
const boardSettings = {
  ...attributes,
  tags: Type.Optional(
    named(text('The value of the tag.'), {
      title: 'a mapping of tags',
      description: 'More attributes, of the lab’s own; selectors find boards by them.',
    }),
  ),
  files: Type.Optional(files),
  linux: Type.Optional(flag('Boots Linux over the network (-L).')),
  dtb: Type.Optional(flag('Takes a device tree (-b), with -L.')),
  ...useLimits,
  between_holders: Type.Optional(
    Type.Unsafe<'off' | 'leave'>({
      enum: ['off', 'leave'],
      default: 'off',
      title: 'off or leave',
      description: 'Whether the end of a lock switches the board off, or leaves its power as it is.',
    }),
  ),
  machine: Type.Optional(machine),
  power: Type.Optional(power),
  console: Type.Optional(console),
  boot: Type.Optional(boot),
};
/** What a board has in the place of `machine`, all of them. */
export const partNames = ['power', 'console', 'boot'] as const;

export const board = Type.Object(
  {
    type: Type.Optional(name('The type whose settings this board has, where it has none of its own.')),
    lock_file: Type.Optional(name('What its lock file is called, where that is not the name of the board.')),
    aliases: Type.Optional(names('Other names under which the board is accepted.')),
    ...boardSettings,
  },
  { ...closed, title: 'a mapping of settings', description: 'A board.' },
);

export const boardKeys = Object.keys(board.properties);

export const boardType = Type.Object(boardSettings, {
  ...closed,
  title: 'a mapping of settings',
  description: 'Settings of every board that names this type.',
});

export type SourceBoard = Static<typeof board>;
export type SourceMachine = NonNullable<SourceBoard['machine']>;
export type SourceType = Static<typeof boardType>;
