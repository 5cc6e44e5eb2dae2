// An emulated board as a process of its own: node emulated-board-main.ts IMAGE_PATH HANGING_POWERS DROP_AFTER_BYTES
// Prints its ports, and when it is told to end which power commands it got.
import { EmulatedBoard } from '../../../src/testing/emulated-board.ts';

const [imagePath = '', hangingPowers, dropAfterBytes] = process.argv.slice(2);
const board = new EmulatedBoard({
  imagePath,
  hangingPowers: Number(hangingPowers),
  dropAfterBytes: Number(dropAfterBytes),
});
const tell = (told: object) => process.stdout.write(`${JSON.stringify(told)}\n`);
process.once('SIGTERM', () => {
  tell({ asked: board.asked });
  void board.close();
});
tell(await board.open());
