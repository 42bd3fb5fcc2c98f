import type { SelectableValue } from '@grafana/data';
import { Input, MultiSelect, Select } from '@grafana/ui';
import { useId } from 'react';

import { ALL, isShown, type Variable } from '../variables';

interface VariableBarProps {
  variables: Variable[];
  onChange: (name: string, values: string[]) => void;
}

/** The variables that can be chosen. */
export function VariableBar({ variables, onChange }: VariableBarProps): JSX.Element {
  return (
    <>
      {variables
        .filter(({ model }) => isShown(model))
        .map((variable) => (
          <Choice
            key={variable.model.name}
            variable={variable}
            onChange={(values) => onChange(variable.model.name, values)}
          />
        ))}
    </>
  );
}

interface ChoiceProps {
  variable: Variable;
  onChange: (values: string[]) => void;
}

function Choice({ variable: { model, options, chosen, problem }, onChange }: ChoiceProps): JSX.Element {
  const id = useId();
  const label = model.label ?? model.name;
  const all: SelectableValue<string>[] = model.includeAll ? [{ value: ALL, label: 'All' }] : [];
  const shared = {
    inputId: id,
    'aria-label': label,
    options: [...all, ...options.map((option) => ({ value: option, label: option }))],
    invalid: problem !== undefined,
    noOptionsMessage: problem ?? 'There are none.',
    isSearchable: true,
  };
  return (
    <div className="variable" title={problem ?? ''}>
      {model.hide !== 1 && <label htmlFor={id}>{label}</label>}
      {model.type === 'textbox' ? (
        <Input id={id} defaultValue={chosen[0]} onBlur={(event) => onChange([event.currentTarget.value])} />
      ) : model.multi ? (
        <MultiSelect
          {...shared}
          width="auto"
          value={chosen}
          closeMenuOnSelect={false}
          onChange={(picked) => onChange(withoutContradiction(picked.map(({ value }) => value ?? ''), chosen))}
        />
      ) : (
        <Select
          {...shared}
          width="auto"
          value={chosen[0] ?? ''}
          onChange={(picked: SelectableValue<string>) => onChange([picked.value ?? ''])}
        />
      )}
    </div>
  );
}

/** All, or some: the one that was picked last. */
function withoutContradiction(picked: string[], before: string[]): string[] {
  if (!picked.includes(ALL)) {
    return picked.length ? picked : [ALL];
  }
  return before.includes(ALL) && picked.length > 1 ? picked.filter((value) => value !== ALL) : [ALL];
}
