/** What drives a board: the settings of each driver, told apart by `driver`. */
import { type Static, Type } from 'typebox';
import { absolutePath, closed } from './values.ts';

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

export const machine = Type.Unsafe<Static<typeof script> | Static<typeof v86>>({
  type: 'object',
  required: ['driver'],
  discriminator: { propertyName: 'driver' },
  oneOf: [script, v86],
  title: 'the settings of a driver, such as { driver: v86 }',
  description: 'What drives the board.',
});
