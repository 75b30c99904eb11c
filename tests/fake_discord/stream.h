/* A flood of messages from many members, for benchmarks: made from ready-made text in batches, as fast as the clients take them or at a rate. */
#ifndef FAKE_STREAM_H
#define FAKE_STREAM_H

#include "fake.h"

struct stream *stream_create(struct fake *fake);
void stream_destroy(struct stream *stream);

#endif
