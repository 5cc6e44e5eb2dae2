/** How many images a job brings, as a board's `files` says it. */
import { Type } from 'typebox';
import { closed } from './values.ts';

const oneOrTwo = { minimum: 1, maximum: 2 };
const imageCount = (description: string) =>
  Type.Integer({ ...oneOrTwo, title: 'a number of images (1 or 2)', description });

export type SourceRange = number | { min?: number; max?: number };

const rangeKeys = {
  min: imageCount('The fewest images that a job may bring.'),
  max: imageCount('The most images that a job may bring.'),
};
const range = (description: string) =>
  Type.Unsafe<SourceRange>({
    type: ['integer', 'object'],
    ...oneOrTwo,
    ...closed,
    properties: rangeKeys,
    title: 'a number of images (1 or 2), or { min, max }',
    description,
  });

export interface SourceFiles {
  min?: number;
  max?: number;
  default?: SourceRange;
  linux?: SourceRange;
}

export const files = Type.Unsafe<number | SourceFiles>({
  type: ['integer', 'object'],
  ...oneOrTwo,
  ...closed,
  properties: {
    ...rangeKeys,
    default: range('Without -L.'),
    linux: range('With -L; the same as without where it is left out.'),
  },
  title: 'a number of images (1 or 2), { min, max } or { default, linux }',
  description: 'How many images a job brings.',
  default: 1,
});
