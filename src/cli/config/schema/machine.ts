/** What drives a board: the settings of each driver, told apart by `driver`. */
import { type Static, Type } from 'typebox';
import { absolutePath, closed, printable, type Scalar, text, wholeNumber } from './values.ts';

const script = Type.Object(
  {
    driver: Type.Literal('script'),
    path: absolutePath('The program that runs a job on the board.'),
    power_off_path: Type.Optional(
      absolutePath('The program that powers the board off, where that is another one.'),
    ),
  },
  { ...closed, title: 'the settings of a script' },
);
const v86 = Type.Object(
  {
    driver: Type.Literal('v86'),
    memory_mb: Type.Optional(
      Type.Integer({
        minimum: 8,
        maximum: 512,
        default: 32,
        title: 'a whole number from 8 to 512',
        description: 'Memory of the emulated PC, in MB.',
      }),
    ),
  },
  { ...closed, title: 'the settings of an emulated PC' },
);

const qemu = Type.Object(
  {
    driver: Type.Literal('qemu'),
    program: Type.String({
      pattern: printable,
      maxLength: 4096,
      title: 'a program, such as qemu-system-arm',
      description: 'QEMU for the board’s architecture: a name that PATH has, or an absolute path.',
    }),
    machine: text('The machine, as for -machine.'),
    cpu: Type.Optional(text('The processor, as for -cpu.')),
    memory_mb: Type.Optional(
      wholeNumber('Memory of the board, in MB.', { minimum: 1, maximum: 1_048_576, default: 128 }),
    ),
    arguments: Type.Optional(
      Type.Unsafe<Scalar[]>({
        type: 'array',
        maxItems: 256,
        items: text('A word.'),
        title: 'a list of words',
        description: 'More arguments for QEMU.',
      }),
    ),
  },
  { ...closed, title: 'the settings of a board in QEMU' },
);

export const machine = Type.Unsafe<Static<typeof script> | Static<typeof v86> | Static<typeof qemu>>({
  type: 'object',
  required: ['driver'],
  discriminator: { propertyName: 'driver' },
  oneOf: [script, v86, qemu],
  title: 'the settings of a driver, such as { driver: v86 }',
  description: 'What drives the board.',
});
