import { LoadingState, renderMarkdown, type InterpolateFunction, type TimeRange } from '@grafana/data';
import { ErrorBoundary, Icon, PanelChrome, Tooltip, useTheme2 } from '@grafana/ui';
import { useMemo, useRef } from 'react';

import type { Catalogue, Panel } from '../dashboard';
import { dressed, fieldConfigOf } from '../display';
import type { Box } from '../grid';
import { interpolate, type Scope } from '../interpolation';
import { anchorOf } from '../links';
import { KINDS } from '../panels/kinds';
import { TextPanel } from '../panels/TextPanel';
import { needsGrafana, questionsOf } from '../questions';
import { intervals, merged, type Span } from '../steps';
import { useFrames } from './useFrames';
import { useVisible } from './useVisible';

interface PanelBoxProps {
  box: Box;
  /** Undefined before the variables are known. */
  scope: Scope | undefined;
  span: Span;
  timeRange: TimeRange;
  timeZone: string;
  catalogue: Catalogue;
  sharedCursor: number;
  onZoom: (from: number, to: number) => void;
}

/** A panel in its place, with title, explanation, links, and what it shows or why it does not. */
export function PanelBox(props: PanelBoxProps): JSX.Element {
  const { box, scope, span, timeRange, timeZone, catalogue } = props;
  const { panel } = box;
  const theme = useTheme2();
  const place = useRef<HTMLDivElement>(null);
  const visible = useVisible(place);
  const cannot = cannotDraw(panel);
  const questions = useMemo(
    () => (visible && scope && !cannot ? questionsOf(panel, span, box.width, scope) : undefined),
    [visible, scope, cannot, panel, span, box.width]
  );
  const { frames, loading, problem } = useFrames(questions, panel.transformations);

  const known = useMemo(() => merged(scope ?? new Map(), intervals(span, 1, '')), [scope, span]);
  const replaceVariables: InterpolateFunction = (text) => interpolate(text ?? '', known, 'text');
  const fieldConfig = useMemo(() => fieldConfigOf(panel.type, panel.fieldConfig), [panel]);
  const shown = useMemo(
    () => frames && dressed(frames, fieldConfig, { theme, timeZone, replaceVariables }),
    [frames, fieldConfig, theme, timeZone]
  );
  const Kind = KINDS[panel.type];
  const empty = shown?.every(({ length }) => length === 0);
  // For those who wait for the page, such as a test that takes its picture.
  const state = (cannot ?? problem) !== undefined ? 'problem' : shown ? (empty ? 'empty' : 'shown') : 'waiting';

  const content = (width: number, height: number): JSX.Element => {
    if (panel.type === 'text') {
      return <TextPanel options={panel.options ?? {}} replaceVariables={replaceVariables} />;
    }
    const sentence = cannot ?? problem;
    if (sentence !== undefined || !Kind) {
      return <Sentence text={sentence ?? ''} />;
    }
    if (!shown) {
      return <></>;
    }
    if (empty) {
      return <Sentence text={fieldConfig.defaults.noValue ?? 'No data'} />;
    }
    return (
      <Kind
        {...props}
        frames={shown}
        fieldConfig={fieldConfig}
        options={panel.options ?? {}}
        width={width}
        height={height}
        timeRange={timeRange}
        replaceVariables={replaceVariables}
      />
    );
  };

  return (
    <section
      ref={place}
      aria-label={panel.title ?? ''}
      data-state={panel.type === 'text' ? 'shown' : state}
      style={{ position: 'absolute', left: box.left, top: box.top, width: box.width, height: box.height }}
    >
      <PanelChrome
        title={replaceVariables(panel.title ?? '')}
        description={panel.description && (() => renderMarkdown(replaceVariables(panel.description ?? '')))}
        titleItems={<PanelLinks panel={panel} scope={known} catalogue={catalogue} />}
        width={box.width}
        height={box.height}
        displayMode={panel.transparent ? 'transparent' : 'default'}
        loadingState={visible && loading && questions ? LoadingState.Loading : LoadingState.Done}
        statusMessage={problem}
      >
        {(width, height) => (
          <ErrorBoundary dependencies={[shown, width]}>
            {({ error }) => (error ? <Sentence text={`This panel cannot be drawn: ${error.message.replace(/\.$/, '')}.`} /> : content(width, height))}
          </ErrorBoundary>
        )}
      </PanelChrome>
    </section>
  );
}

function cannotDraw(panel: Panel): string | undefined {
  if (panel.type !== 'text' && !KINDS[panel.type]) {
    return `A panel of the type ${panel.type} needs Grafana.`;
  }
  return needsGrafana(panel) ? 'This panel asks a database by SQL, which needs Grafana.' : undefined;
}

function Sentence({ text }: { text: string }): JSX.Element {
  return (
    <div className="sentence" role="status">
      <span>{text}</span>
    </div>
  );
}

interface PanelLinksProps {
  panel: Panel;
  scope: Scope;
  catalogue: Catalogue;
}

function PanelLinks({ panel, scope, catalogue }: PanelLinksProps): JSX.Element {
  return (
    <>
      {(panel.links ?? []).map((link) => {
        const { title, href, newTab } = anchorOf(link, scope, catalogue);
        return (
          <Tooltip key={title} content={title}>
            <a
              className="panel-link"
              href={href}
              aria-label={title}
              target={newTab ? '_blank' : undefined}
              rel="noreferrer"
            >
              <Icon name="external-link-alt" size="md" />
            </a>
          </Tooltip>
        );
      })}
    </>
  );
}
