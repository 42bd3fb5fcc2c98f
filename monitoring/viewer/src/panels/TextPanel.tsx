import { renderTextPanelMarkdown, textUtil } from '@grafana/data';
import { ScrollContainer } from '@grafana/ui';

interface TextPanelProps {
  options: Record<string, unknown>;
  replaceVariables: (text: string) => string;
}

/** Words: Markdown, or HTML without what could do harm. */
export function TextPanel({ options, replaceVariables }: TextPanelProps): JSX.Element {
  const content = replaceVariables(String(options['content'] ?? ''));
  const html = options['mode'] === 'html' ? textUtil.sanitize(content) : renderTextPanelMarkdown(content);
  return (
    <ScrollContainer>
      <div className="markdown-html" dangerouslySetInnerHTML={{ __html: html }} />
    </ScrollContainer>
  );
}
