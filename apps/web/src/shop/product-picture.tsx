import { type ReactElement, useState } from 'react';
import { Icon } from '../design/icons.tsx';

type ProductPictureProps = { readonly imageUrl: string | null; readonly className: string };

/** Decoration beside the product's name; a bag stands in for a picture that is missing or does not load. */
export function ProductPicture({ imageUrl, className }: ProductPictureProps): ReactElement {
  const [failedUrl, setFailedUrl] = useState<string | null>(null);
  return (
    <span className={`sf-picture ${className}`}>
      {imageUrl === null || imageUrl === failedUrl ? (
        <Icon name="bag" size={26} />
      ) : (
        <img src={imageUrl} alt="" loading="lazy" decoding="async" onError={() => setFailedUrl(imageUrl)} />
      )}
    </span>
  );
}
