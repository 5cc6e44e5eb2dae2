// What `reload` answers: how the configuration differs from the one before, or where it is wrong. Shapes only.
import { Type } from 'typebox';

/** Line and column count from 1; both are 0 where the file as a whole is meant. */
export const ConfigProblem = Type.Object({
  file: Type.String(),
  line: Type.Integer(),
  column: Type.Integer(),
  message: Type.String(),
});
export type ConfigProblem = Type.Static<typeof ConfigProblem>;

const Names = Type.Array(Type.String());

export const ConfigChange = Type.Object({
  boards: Type.Object({
    added: Names,
    removed: Names,
    changed: Names,
    /** The same board under a new name, which has the old one as an alias. */
    renamed: Type.Array(Type.Object({ from: Type.String(), to: Type.String() })),
    /** Of the removed and renamed ones: still in use under their old names, and gone when that ends. */
    leaving: Names,
  }),
  pools: Type.Object({ added: Names, removed: Names, changed: Names }),
  /** Other keys of the file whose values are different, such as `limits.job_max`. */
  settings: Names,
  /** Keys whose values count only from the server's next start on. */
  atNextStart: Names,
  warnings: Type.Array(ConfigProblem),
});
export type ConfigChange = Type.Static<typeof ConfigChange>;
