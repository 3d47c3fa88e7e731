import { SessionwiseError } from '../../protocol/index.ts';

/** Another process runs an embedded Redis on this data folder. */
export class DataFolderInUseError extends SessionwiseError {
  override readonly code = 'DATA_FOLDER_IN_USE';
}
