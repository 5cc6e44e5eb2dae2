/**
 * Reads YAML into plain values, and remembers where each stood. It knows YAML, and nothing of labs.
 *
 * Keys are taken as they are written: a board called `on`, `1.0` or `0x10` keeps that name, though YAML may see a
 * boolean or a number there. Aliases (`*name`) are followed; merge keys (`<<`) are not part of YAML 1.2.
 */
import {
  type Alias,
  isAlias,
  isMap,
  isNode,
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
  /** The keys of a mapping in the order of the file (JavaScript puts `7` before `a`); none where it is no mapping. */
  keys(path: Path): string[];
  /** Whether the key of this path stands in quotes. */
  isKeyQuoted(path: Path): boolean;
  /** A scalar as text, numbers and booleans as they are written; undefined where there is none. */
  text(path: Path): string | undefined;
}

/** A value's place, kept beside the value in a tree of the same shape. */
interface Spot {
  keyOffset: number;
  valueOffset: number;
  keyQuoted?: true;
  text?: string;
  /** Of a mapping only. */
  keys?: string[];
  children?: Map<string, Spot>;
}

/** Far above any real lab; it ends aliases of aliases of aliases. */
const nodesMax = 1_000_000;
const depthMax = 50;

/** Never throws: what is wrong with the text is in `problems`, and `value` is then what could be read. */
export function readSource(text: string, file: string): Source {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    version: '1.2',
    uniqueKeys: false,
    prettyErrors: false,
  });
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const reader = new Reader(place);
  const root: Spot = { keyOffset: 0, valueOffset: 0 };
  let value: unknown;
  if (document.errors.length === 0) value = reader.read(document.contents, root, 0);
  const problems = [
    ...[...document.errors, ...document.warnings].map(({ code, pos, message }) => ({
      ...place(pos[0]),
      message: code === 'MULTIPLE_DOCS' ? 'a second document begins here' : `not valid YAML: ${message}`,
    })),
    ...reader.problems,
  ];
  return {
    value,
    problems,
    keyPlace: (path) => place(nearestSpot(root, path).keyOffset),
    valuePlace: (path) => place(nearestSpot(root, path).valueOffset),
    keys: (path) => findSpot(root, path)?.keys ?? [],
    isKeyQuoted: (path) => findSpot(root, path)?.keyQuoted === true,
    text: (path) => findSpot(root, path)?.text,
  };
}

function findSpot(root: Spot, path: Path): Spot | undefined {
  let spot: Spot | undefined = root;
  for (const step of path) spot = spot?.children?.get(step);
  return spot;
}

/** What is there of the path. */
function nearestSpot(root: Spot, path: Path): Spot {
  let spot = root;
  for (const step of path) {
    const child = spot.children?.get(step);
    if (child === undefined) break;
    spot = child;
  }
  return spot;
}

class Reader {
  readonly problems: ConfigProblem[] = [];
  readonly #place: (offset: number) => Place;
  /** The node that each `&name` stands for so far: an alias means the last one before it. */
  readonly #anchors = new Map<string, Node>();
  /** Nodes whose inside is being read. */
  readonly #open = new Set<Node>();
  #nodes = 0;

  constructor(place: (offset: number) => Place) {
    this.#place = place;
  }

  read(node: unknown, spot: Spot, depth: number): unknown {
    if (isAlias(node)) return this.#readAlias(node, spot, depth);
    this.#nodes += 1;
    if (depth > depthMax || this.#nodes > nodesMax) {
      const fault = depth > depthMax ? `nested more than ${depthMax} deep` : `more than ${nodesMax} values`;
      if (this.#nodes <= nodesMax + 1) this.#note(spot.valueOffset, fault);
      return null;
    }
    if (isNode(node) && node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    if (isScalar(node)) {
      spot.text = typeof node.value === 'string' ? node.value : (node.source ?? '');
      return node.value;
    }
    if (!isMap(node) && !isSeq(node)) return null;
    this.#open.add(node);
    const value = isMap(node) ? this.#readMap(node, spot, depth) : this.#readList(node, spot, depth);
    this.#open.delete(node);
    return value;
  }

  #readAlias(alias: Alias, spot: Spot, depth: number): unknown {
    const target = this.#anchors.get(alias.source);
    if (target !== undefined && !this.#open.has(target)) return this.read(target, spot, depth);
    const fault = target === undefined ? `has no '&${alias.source}' before it` : 'would contain itself';
    this.#note(spot.valueOffset, `'*${alias.source}' ${fault}`);
    return null;
  }

  #note(offset: number, message: string): void {
    this.problems.push({ ...this.#place(offset), message });
  }

  #readMap(map: YAMLMap, spot: Spot, depth: number): object {
    const value: Record<string, unknown> = Object.create(null);
    spot.children = new Map();
    spot.keys = [];
    for (const pair of map.items as Pair[]) {
      const keyOffset = offsetOf(pair.key) ?? offsetOf(pair.value) ?? spot.valueOffset;
      const key = keyText(pair.key);
      if (key === undefined) {
        this.#note(keyOffset, 'a key must be a name');
        continue;
      }
      const first = spot.children.get(key)?.keyOffset;
      if (first !== undefined) {
        this.#note(keyOffset, `'${key}' is there twice, first in line ${this.#place(first).line}`);
        continue;
      }
      const child: Spot = { keyOffset, valueOffset: offsetOf(pair.value) ?? keyOffset };
      if (isScalar(pair.key) && pair.key.type?.startsWith('QUOTE')) child.keyQuoted = true;
      spot.children.set(key, child);
      spot.keys.push(key);
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
}

function keyText(key: unknown): string | undefined {
  if (!isScalar(key)) return undefined;
  if (typeof key.value === 'string') return key.value;
  return key.source === '' ? undefined : key.source;
}

function offsetOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}
