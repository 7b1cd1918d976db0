// librdkafka's mock cluster as a process: speaks Kafka's protocol, keeps about 5 MB a partition and
// drops the oldest, guarantees nothing. mock_kafka TOPIC PARTITIONS prints its address and stays
// until its standard input ends.
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: mock_kafka TOPIC PARTITIONS\n");
    return 2;
  }
  char error[512];
  rd_kafka_t* handle = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), error, sizeof error);
  rd_kafka_mock_cluster_t* cluster =
      handle == nullptr ? nullptr : rd_kafka_mock_cluster_new(handle, 1);
  if (cluster == nullptr) {
    std::fprintf(stderr, "the mock cluster did not start: %s\n", error);
    return 1;
  }
  rd_kafka_mock_topic_create(cluster, argv[1], std::atoi(argv[2]), 1);
  std::printf("%s\n", rd_kafka_mock_cluster_bootstraps(cluster));
  std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  rd_kafka_mock_cluster_destroy(cluster);
  rd_kafka_destroy(handle);
  return 0;
}
