"""Every rule of the tidy test goes red on a file that breaks it, and stays green beside it."""

import unittest

import dependencies
import functions
import layout
from tree import SourceFile


def _problems(check, *files: tuple[str, str]) -> list[str]:
    return list(check([SourceFile(path, text) for path, text in files]))


def _include(path: str, header: str) -> list[str]:
    return _problems(dependencies.check, (path, f'#include "{header}"\n'))


class Dependencies(unittest.TestCase):
    def test_folders_beside_each_other_do_not_meet(self) -> None:
        self.assertTrue(_include("runtime/operators/a.cc", "runtime/exchange/channel.h"))
        self.assertTrue(_include("runtime/connectors/kafka/a.cc", "runtime/state/keyed_state.h"))
        self.assertTrue(_include("runtime/types/a.h", "runtime/metrics/metrics.h"))

    def test_the_two_exceptions(self) -> None:
        self.assertFalse(_include("runtime/operators/a.cc", "runtime/state/keyed_state.h"))
        self.assertTrue(_include("runtime/operators/a.cc", "runtime/state/rocksdb_state.h"))
        self.assertFalse(_include("runtime/connectors/print/sink.h", "runtime/formats/format.h"))
        self.assertTrue(_include("runtime/connectors/print/sink.h", "runtime/formats/json.h"))

    def test_the_job_manager_sees_options_only(self) -> None:
        self.assertFalse(_include("jobmanager/job/a.cc", "runtime/connectors/connector.h"))
        self.assertTrue(_include("jobmanager/job/a.cc", "runtime/connectors/source.h"))
        self.assertTrue(_include("jobmanager/job/a.cc", "runtime/engine/task.h"))
        self.assertTrue(_include("jobmanager/job/a.cc", "taskmanager/slots.h"))

    def test_protobuf_stays_out_of_the_hot_headers(self) -> None:
        self.assertTrue(_include("runtime/operators/a.h", "watershed/v1/types.pb.h"))
        self.assertTrue(_include("runtime/exchange/a.h", "grpcpp/grpcpp.h"))
        self.assertFalse(_include("runtime/operators/a.cc", "watershed/v1/types.pb.h"))
        self.assertFalse(_include("runtime/job/compile.h", "watershed/v1/job_graph.pb.h"))

    def test_a_new_folder_must_say_whom_it_depends_on(self) -> None:
        self.assertTrue(_include("runtime/newcomer/a.cc", "runtime/types/ids.h"))
        self.assertTrue(_include("runtime/types/a.cc", "runtime/newcomer/a.h"))

    def test_nothing_that_ships_includes_tests(self) -> None:
        self.assertTrue(_include("wsctl/a.cc", "tests/support/peers.h"))

    def test_abseil_text_is_refused(self) -> None:
        self.assertTrue(_include("wsctl/a.cc", "absl/strings/str_cat.h"))
        self.assertFalse(_include("wsctl/a.cc", "absl/container/flat_hash_map.h"))


class Layout(unittest.TestCase):
    def test_length(self) -> None:
        self.assertFalse(_problems(layout.check, ("a.cc", "x\n" * 500)))
        self.assertTrue(_problems(layout.check, ("a.cc", "x\n" * 501)))

    def test_vague_names(self) -> None:
        for path in ("runtime/utils/a.h", "runtime/types/time_util.h", "wsctl/common.cc"):
            self.assertTrue(_problems(layout.check, (path, "")), path)
        self.assertFalse(_problems(layout.check, ("runtime/types/commonality.h", "")))

    def test_machine_paths(self) -> None:
        self.assertTrue(_problems(layout.check, ("a.md", "see " + "/wo" + "rk/shared\n")))
        self.assertFalse(_problems(layout.check, ("a.md", "see tests/work/shared\n")))

    def test_a_test_that_never_runs(self) -> None:
        dead = ("tests/unit/x/a_test.cc", "")
        listing = "tests/unit/x/CMakeLists.txt"
        self.assertTrue(_problems(layout.check, dead, (listing, "ws_test(b SOURCES ba_test.cc)")))
        self.assertFalse(_problems(layout.check, dead, (listing, "ws_test(a SOURCES a_test.cc)")))


class Functions(unittest.TestCase):
    def test_length_of_a_body(self) -> None:
        source = "namespace n {{\nint F(int a,\n      int b) {{\n{}}}\n}}\n"
        self.assertFalse(_problems(functions.check, ("a.cc", source.format("  f();\n" * 50))))
        self.assertTrue(_problems(functions.check, ("a.cc", source.format("  f();\n" * 51))))

    def test_braces_in_text_do_not_count(self) -> None:
        text = 'void F() {\n  g("}{", \'}\');  // {\n  R"(})";\n}\nvoid G() {\n}\n'
        self.assertEqual([("F", 1, 2), ("G", 5, 0)], list(functions.functions(text)))

    def test_members_and_initialisers(self) -> None:
        text = "class A {\n  A() : b_{1} {\n    f();\n  }\n  int c() const {\n    return 1;\n  }\n};\n"
        self.assertEqual([("A", 2, 0), ("c", 5, 1)], list(functions.functions(text)))


if __name__ == "__main__":
    unittest.main()
