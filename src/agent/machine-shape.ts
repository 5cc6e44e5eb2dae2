// The shape of what drives a board, as the server sends it (src/protocol/machine.ts). Pure.
import { Type } from 'typebox';

const Path = Type.String({ minLength: 1, maxLength: 4096 });
const Word = Type.String({ maxLength: 4096 });
const Command = Type.Array(Word, { minItems: 1, maxItems: 256 });
const Seconds = Type.Number({ minimum: 0, maximum: 86_400 });

const Power = Type.Object({
  driver: Type.Literal('command'),
  powerOn: Command,
  powerOff: Command,
  status: Type.Optional(Command),
  env: Type.Optional(
    Type.Record(Type.String(), Type.Union([Word, Type.Object({ env: Word }), Type.Object({ file: Path })])),
  ),
  timeoutSeconds: Seconds,
  retries: Type.Integer({ minimum: 0, maximum: 100 }),
});

const consoleLimits = { connectSeconds: Seconds, reconnectSeconds: Seconds };
const Console = Type.Union([
  Type.Object({
    driver: Type.Literal('tcp'),
    host: Type.String({ minLength: 1, maxLength: 255 }),
    port: Type.Integer({ minimum: 1, maximum: 65_535 }),
    telnet: Type.Optional(Type.Boolean()),
    ...consoleLimits,
  }),
  Type.Object({ driver: Type.Literal('exec'), command: Command, ...consoleLimits }),
]);

const Boot = Type.Object({
  driver: Type.Literal('copy'),
  to: Path,
  secondTo: Type.Optional(Path),
  dtbTo: Type.Optional(Path),
  bitstreamTo: Type.Optional(Path),
});

export const Machine = Type.Union([
  Type.Object({ driver: Type.Literal('script'), path: Path, powerOffPath: Type.Optional(Path) }),
  Type.Object({ driver: Type.Literal('v86'), memoryMb: Type.Number() }),
  Type.Object({
    driver: Type.Literal('qemu'),
    program: Path,
    machine: Word,
    cpu: Type.Optional(Word),
    memoryMb: Type.Number(),
    arguments: Type.Array(Word, { maxItems: 256 }),
  }),
  Type.Object({ driver: Type.Literal('parts'), power: Power, console: Console, boot: Boot }),
]);
