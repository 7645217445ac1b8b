-- What the day's sources gave.
SELECT unnest($source::VARCHAR[]) AS source, unnest($rows::BIGINT[]) AS rows, unnest($set_aside::BIGINT[]) AS set_aside,
  unnest($state::VARCHAR[]) AS state, unnest($as_of::VARCHAR[]) AS as_of, unnest($changed::BIGINT[]) AS changed
