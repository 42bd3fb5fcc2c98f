import { Icon } from '@grafana/ui';
import { useMemo, useRef, useState, type ComponentProps } from 'react';

import type { Dashboard } from '../dashboard';
import { closedAtFirst, layOut, sectionsOf, type Box } from '../grid';
import { interpolate } from '../interpolation';
import { PanelBox } from './PanelBox';
import { useWidth } from './useWidth';

interface GridProps extends Omit<ComponentProps<typeof PanelBox>, 'box'> {
  dashboard: Dashboard;
}

/** The panels, each in its place; rows open and close. */
export function Grid({ dashboard, ...rest }: GridProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const width = useWidth(place);
  const [closed, setClosed] = useState<ReadonlySet<number>>(() => closedAtFirst(dashboard.panels));
  const { boxes, height } = useMemo(() => layOut(dashboard.panels, width, closed), [dashboard, width, closed]);
  const sizes = useMemo(
    () => new Map(sectionsOf(dashboard.panels).map(({ row, panels }) => [row?.id, panels.length])),
    [dashboard]
  );
  const toggle = (row: number): void => {
    const changed = new Set(closed);
    if (!changed.delete(row)) {
      changed.add(row);
    }
    setClosed(changed);
  };
  return (
    <div ref={place} style={{ position: 'relative', height }}>
      {width > 0 &&
        boxes.map((box) =>
          box.panel.type === 'row' ? (
            <Row
              key={box.panel.id}
              box={box}
              title={interpolate(box.panel.title ?? '', rest.scope ?? new Map(), 'text')}
              open={!closed.has(box.panel.id)}
              size={sizes.get(box.panel.id) ?? 0}
              onToggle={() => toggle(box.panel.id)}
            />
          ) : (
            <PanelBox key={box.panel.id} box={box} {...rest} />
          )
        )}
    </div>
  );
}

interface RowProps {
  box: Box;
  title: string;
  open: boolean;
  size: number;
  onToggle: () => void;
}

function Row({ box, title, open, size, onToggle }: RowProps): JSX.Element {
  return (
    <h2 className="section-row" style={{ top: box.top, width: box.width, height: box.height }}>
      <button type="button" aria-expanded={open} onClick={onToggle}>
        <Icon name={open ? 'angle-down' : 'angle-right'} size="lg" />
        {title}
        {!open && <small>{size === 1 ? '1 panel' : `${size} panels`}</small>}
      </button>
    </h2>
  );
}
