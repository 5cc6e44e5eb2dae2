/**
 * Reads YAML into plain values, and remembers where each stood. It knows YAML, and nothing of labs.
 *
 * Keys are taken as they are written: a board called `on`, `1.0` or `0x10` keeps that name, though YAML may see a
 * boolean or a number there. Aliases (`*name`) are followed; merge keys (`<<`) are not part of YAML 1.2.
 */
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import type { ConfigProblem, Place } from './problem.ts';

/** Keys and indexes from the top of the file; an index is written as text. */
export type Path = readonly string[];

export interface Source {
  /** Objects have no prototype, so that a board may be called `constructor`. */
  readonly value: unknown;
  readonly problems: readonly ConfigProblem[];
  /** Where the key of this path stands, or the nearest thing around it that is there. */
  keyPlace(path: Path): Place;
  valuePlace(path: Path): Place;
  /** A scalar as text, numbers and booleans as they are written; undefined where there is none. */
  text(path: Path): string | undefined;
}

/** A value's place, kept beside the value in a tree of the same shape. */
interface Spot {
  keyOffset: number;
  valueOffset: number;
  text?: string;
  children?: Map<string, Spot>;
}

/** Far above any real lab; it ends aliases of aliases of aliases. */
const nodesMax = 2_000_000;
const depthMax = 50;

/** Never throws: what is wrong with the text is in `problems`, and `value` is then what could be read. */
export function readSource(text: string, file: string): Source {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    version: '1.2',
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'silent',
  });
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const reader = new Reader(document);
  const root: Spot = { keyOffset: 0, valueOffset: 0 };
  let value: unknown;
  if (document.errors.length === 0) value = reader.read(document.contents, root, 0);
  const problems = [
    ...[...document.errors, ...document.warnings].map((problem) => ({
      ...place(problem.pos[0]),
      message: `not valid YAML: ${problem.message}`,
    })),
    ...reader.problems.map(({ offset, message }) => ({ ...place(offset), message: message(place) })),
  ];
  return {
    value,
    problems,
    keyPlace: (path) => place(find(root, path).keyOffset),
    valuePlace: (path) => place(find(root, path).valueOffset),
    text: (path) => find(root, path, { exact: true })?.text,
  };
}

function find(root: Spot, path: Path): Spot;
function find(root: Spot, path: Path, options: { exact: true }): Spot | undefined;
function find(root: Spot, path: Path, options?: { exact: true }): Spot | undefined {
  let spot = root;
  for (const step of path) {
    const child = spot.children?.get(step);
    if (child === undefined) return options?.exact ? undefined : spot;
    spot = child;
  }
  return spot;
}

class Reader {
  readonly problems: { offset: number; message: (place: (offset: number) => Place) => string }[] = [];
  readonly #document: Document;
  #nodes = 0;

  constructor(document: Document) {
    this.#document = document;
  }

  read(node: unknown, spot: Spot, depth: number): unknown {
    const target = isAlias(node) ? node.resolve(this.#document) : (node as Node | null | undefined);
    this.#nodes += 1;
    if (depth > depthMax || this.#nodes > nodesMax) {
      const fault = depth > depthMax ? `nested more than ${depthMax} deep, or within itself` : 'too large';
      if (this.#nodes <= nodesMax + 1) this.#note(spot.valueOffset, fault);
      return null;
    }
    if (isMap(target)) return this.#readMap(target, spot, depth);
    if (isSeq(target)) return this.#readList(target, spot, depth);
    if (!isScalar(target)) return null;
    spot.text = typeof target.value === 'string' ? target.value : (target.source ?? '');
    return target.value;
  }

  #readMap(map: YAMLMap, spot: Spot, depth: number): object {
    const value: Record<string, unknown> = Object.create(null);
    spot.children = new Map();
    for (const pair of map.items as Pair[]) {
      const keyOffset = offsetOf(pair.key) ?? offsetOf(pair.value) ?? spot.valueOffset;
      const key = keyText(pair.key);
      if (key === undefined) {
        this.#note(keyOffset, 'a key must be a name');
        continue;
      }
      const first = spot.children.get(key)?.keyOffset;
      if (first !== undefined) {
        this.#note(keyOffset, (place) => `'${key}' is there twice, first in line ${place(first).line}`);
        continue;
      }
      const child = { keyOffset, valueOffset: valueOffset(pair.value) ?? keyOffset };
      spot.children.set(key, child);
      value[key] = this.read(pair.value, child, depth + 1);
    }
    return value;
  }

  #readList(list: YAMLSeq, spot: Spot, depth: number): unknown[] {
    const children = new Map<string, Spot>();
    spot.children = children;
    return list.items.map((item, index) => {
      const offset = offsetOf(item) ?? spot.valueOffset;
      const child = { keyOffset: offset, valueOffset: offset };
      children.set(String(index), child);
      return this.read(item, child, depth + 1);
    });
  }

  #note(offset: number, message: string | ((place: (offset: number) => Place) => string)): void {
    this.problems.push({ offset, message: typeof message === 'string' ? () => message : message });
  }
}

function keyText(key: unknown): string | undefined {
  if (!isScalar(key)) return undefined;
  if (typeof key.value === 'string') return key.value;
  return key.source === '' ? undefined : key.source;
}

function offsetOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}

/** A value that is left empty stands where its key is, not at the start of what follows. */
function valueOffset(node: unknown): number | undefined {
  return isScalar(node) && node.value === null && node.source === '' ? undefined : offsetOf(node);
}
