/** Grafana's own transformations of frames. */

import {
  standardTransformers,
  standardTransformersRegistry,
  transformDataFrame,
  type DataFrame,
  type DataTransformerConfig,
  type TransformerRegistryItem,
} from '@grafana/data';
import { lastValueFrom } from 'rxjs';

// Some stand there by an older name, too.
const KNOWN = new Map(Object.values(standardTransformers).map((transformation) => [transformation.id, transformation]));

standardTransformersRegistry.setInit(() =>
  [...KNOWN.values()].map(
    (transformation) =>
      ({
        id: transformation.id,
        name: transformation.name,
        transformation,
        editor: () => null,
        imageDark: '',
        imageLight: '',
      }) as unknown as TransformerRegistryItem
  )
);

export async function transformed(frames: DataFrame[], wanted: DataTransformerConfig[]): Promise<DataFrame[]> {
  return wanted.length === 0 ? frames : lastValueFrom(transformDataFrame(wanted, frames));
}
