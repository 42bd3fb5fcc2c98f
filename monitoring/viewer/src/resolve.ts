/** All variables of a dashboard, each asked for in turn, as one may name those before it. */

import type { VariableModel } from './dashboard';
import { interpolate, type Scope, type Value } from './interpolation';
import type { LabelQuestion, Variable } from './variables';
import { asOptions, chosenOf, fixedOptions, labelQuestion, queryOf, valueOf } from './variables';

export type AskValues = (question: LabelQuestion) => Promise<string[]>;

/**
 * The variables with their options and choices.
 *
 * @param wanted - What the address says of each.
 * @param ask - Asks for values of a label; its error's message is a sentence.
 */
export async function resolved(
  models: VariableModel[],
  wanted: ReadonlyMap<string, string[]>,
  ask: AskValues
): Promise<Variable[]> {
  const found: Variable[] = [];
  for (const model of models) {
    const { options, problem } = await optionsOf(model, scopeOf(found), ask);
    found.push({
      model,
      options,
      chosen: chosenOf(model, options, wanted.get(model.name)),
      problem,
    });
  }
  return found;
}

export function scopeOf(variables: Variable[]): Scope {
  return new Map(variables.map((variable): [string, Value] => [variable.model.name, valueOf(variable)]));
}

async function optionsOf(
  model: VariableModel,
  scope: Scope,
  ask: AskValues
): Promise<{ options: string[]; problem?: string }> {
  if (model.type !== 'query') {
    return { options: fixedOptions(model) };
  }
  const question = labelQuestion(interpolate(queryOf(model), scope, 'query'));
  if (!question) {
    return { options: [], problem: `The variable ${model.name} asks something other than label_values().` };
  }
  try {
    return { options: asOptions(await ask(question), model) };
  } catch (problem) {
    return { options: [], problem: problem instanceof Error ? problem.message : String(problem) };
  }
}
