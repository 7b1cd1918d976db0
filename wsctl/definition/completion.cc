#include "wsctl/definition/completion.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace watershed {
namespace {

// Where the values of a parameter come from.
struct Values {
  std::vector<std::string> words;
  bool files = false;
  // Asked for: "jobs", "running-jobs", "taskmanagers"; "names": jobs or TaskManagers, whichever the
  // line's `get KIND` is about.
  std::string cluster;
};

Values ValuesOf(const CommandModel& wsctl, const ParameterModel& parameter) {
  const std::string& what = parameter.value.empty() ? parameter.name : parameter.value;
  if (!parameter.choices.empty()) return {.words = parameter.choices};
  if (what == "FILE" || what == "PATH" || what == "DIR") return {.files = true};
  // An option's JOB may be one that has ended (`logs --job`).
  if (what == "JOB") return {.cluster = parameter.value.empty() ? "running-jobs" : "jobs"};
  if (what == "NAME") return {.cluster = "names"};
  if (what == "TASKMANAGER") return {.cluster = "taskmanagers"};
  if (what == "PROCESS") return {.words = {"jobmanager"}, .cluster = "taskmanagers"};
  if (what == "KIND") {
    return {.words = {"jobs", "job", "checkpoints", "vertices", "subtasks", "taskmanagers"},
            .cluster = "jobs"};
  }
  Values values;
  if (what == "COMMAND") {
    for (const CommandModel& command : wsctl.commands) {
      if (!command.group.empty()) values.words.push_back(command.name);
    }
  }
  return values;
}

std::vector<std::string> Spellings(const ParameterModel& option) {
  std::vector<std::string> spellings;
  if (!option.short_name.empty()) spellings.push_back(option.short_name);
  if (!option.name.empty()) spellings.push_back(option.name);
  return spellings;
}

bool TakesNextWord(const ParameterModel& option) {
  return !option.value.empty() && !option.value_is_optional;
}

std::string Replaced(std::string_view text, std::string_view what, std::string_view by) {
  std::string replaced;
  for (size_t at = 0; (at = text.find(what)) != text.npos; text.remove_prefix(at + what.size())) {
    replaced += text.substr(0, at);
    replaced += by;
  }
  return replaced += text;
}

// ---- bash

std::string BashValues(const Values& values) {
  if (values.files) return "COMPREPLY=($(compgen -f -- \"$cur\"))";
  std::string words = fmt::format("{}", fmt::join(values.words, " "));
  if (!values.cluster.empty()) {
    words += fmt::format("{}$(_wsctl_candidates {})", words.empty() ? "" : " ", values.cluster);
  }
  return fmt::format("COMPREPLY=($(compgen -W \"{}\" -- \"$cur\"))", words);
}

// `verb` is "*" for options of every command.
void BashOptions(const CommandModel& wsctl, const CommandModel& command, const std::string& verb,
                 std::string& takes_word, std::string& cases) {
  for (const ParameterModel& option : command.options) {
    if (option.value.empty()) continue;
    std::string pattern;
    for (const std::string& spelling : Spellings(option)) {
      pattern += (pattern.empty() ? "" : "|");
      pattern += verb == "*" ? fmt::format("*\" {}\"", spelling)
                             : fmt::format("\"{} {}\"", verb, spelling);
    }
    if (TakesNextWord(option)) takes_word += fmt::format("      {}) skip=1 ;;\n", pattern);
    cases += fmt::format("    {}) {}; return ;;\n", pattern, BashValues(ValuesOf(wsctl, option)));
  }
}

std::string OptionWords(const CommandModel& command) {
  std::string words;
  for (const ParameterModel& option : command.options) {
    for (const std::string& spelling : Spellings(option)) words += spelling + " ";
  }
  return words;
}

constexpr const char* kBash =
    R"(# bash completion for wsctl; in ~/.bashrc: source <(wsctl completion bash)
_wsctl_candidates() {{
  local kind=$1 where=()
  if [ "$kind" = names ]; then
    kind=jobs
    [[ " ${{COMP_WORDS[*]}} " == *" taskmanager"* ]] && kind=taskmanagers
  fi
  # From the line: bash takes host:port apart.
  [[ $COMP_LINE =~ --jobmanager[=\ ]+([^\ ]+) ]] && where=(--jobmanager "${{BASH_REMATCH[1]}}")
  wsctl candidates "$kind" "${{where[@]}}" 2>/dev/null
}}
_wsctl() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}}
  local verb="" position=0 skip="" word i
  COMPREPLY=()
  # bash takes --wait=running and host:port apart at the sign.
  [ "$cur" = "=" ] && cur=""
  [ "$prev" = "=" ] && prev=${{COMP_WORDS[COMP_CWORD-2]}}
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${{COMP_WORDS[i]}}
    if [ "$word" = "=" ] || [ "$word" = ":" ]; then skip=1; continue; fi
    if [ -n "$skip" ]; then skip=""; continue; fi
    case "$verb $word" in
{}      *" -"*) ;;
      *) if [ -z "$verb" ]; then verb=$word; else position=$((position + 1)); fi ;;
    esac
  done
  case "$verb $prev" in
{}  esac
  if [[ $cur == -* ]]; then
    case "$verb" in
{}    esac
    return
  fi
  case "$verb $position" in
{}  esac
}}
complete -o default -F _wsctl wsctl
)";

std::string BashScript(const CommandModel& wsctl) {
  std::string takes_word, values, options, positions, verbs;
  const std::string global = OptionWords(wsctl) + "--help";
  for (const CommandModel& command : wsctl.commands) {
    if (command.group.empty()) continue;
    verbs += command.name + " ";
    BashOptions(wsctl, command, command.name, takes_word, values);
    options += fmt::format("      {}) COMPREPLY=($(compgen -W \"{}{}\" -- \"$cur\")) ;;\n",
                           command.name, OptionWords(command), global);
    for (size_t i = 0; i < command.arguments.size(); ++i) {
      const bool rest = command.arguments[i].is_repeatable;
      positions +=
          fmt::format("    \"{} \"{}) {} ;;\n", command.name, rest ? "*" : fmt::format("{}", i),
                      BashValues(ValuesOf(wsctl, command.arguments[i])));
    }
  }
  BashOptions(wsctl, wsctl, "*", takes_word, values);
  options +=
      fmt::format("      *) COMPREPLY=($(compgen -W \"{} --version\" -- \"$cur\")) ;;\n", global);
  positions += fmt::format("    \" \"*) COMPREPLY=($(compgen -W \"{}\" -- \"$cur\")) ;;\n", verbs);
  return fmt::format(kBash, takes_word, values, options, positions);
}

// ---- zsh

std::string ZshText(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return Replaced(escaped, "'", "'\\''");
}

std::string ZshValues(const Values& values) {
  if (values.files) return "_files";
  if (values.cluster.empty() && values.words.empty()) return " ";
  if (values.cluster.empty()) return fmt::format("({})", fmt::join(values.words, " "));
  std::string words = values.cluster;
  for (const std::string& word : values.words) words += " " + word;
  return fmt::format("{{_wsctl_candidates {}}}", words);
}

std::string ZshOptions(const CommandModel& wsctl, const CommandModel& command) {
  std::string specs;
  for (const ParameterModel& option : command.options) {
    const char* repeat = option.is_repeatable ? "*" : "";
    for (const std::string& spelling : Spellings(option)) {
      std::string spec = repeat + spelling;
      if (option.value_is_optional) spec += "=-";
      spec += fmt::format("[{}]", ZshText(option.description));
      if (!option.value.empty()) {
        spec += fmt::format("{}{}:{}", option.value_is_optional ? "::" : ":",
                            option.choices.empty() ? ZshText(option.value) : "value",
                            ZshValues(ValuesOf(wsctl, option)));
      }
      specs += fmt::format(" \\\n        '{}'", spec);
    }
  }
  return specs;
}

constexpr const char* kZsh = R"zsh(#compdef wsctl
# zsh completion for wsctl: wsctl completion zsh > a directory of $fpath, as _wsctl
_wsctl_candidates() {{
  local -a found where
  local kind=$1
  if [[ $kind = names ]]; then
    kind=jobs
    [[ $BUFFER = *' taskmanager'* ]] && kind=taskmanagers
  fi
  [[ $BUFFER =~ '--jobmanager[= ]+([^ ]+)' ]] && where=(--jobmanager $match[1])
  found=(${{(f)"$(wsctl candidates $kind $where 2>/dev/null)"}} $@[2,-1])
  compadd -a found
}}
_wsctl() {{
  local curcontext="$curcontext" state line
  local -a verbs
  verbs=({}
  )
  _arguments -C{} \
    '1:command:->verb' '*::argument:->arguments'
  case $state in
    verb) _describe command verbs ;;
    arguments)
      case $words[1] in
{}      esac ;;
  esac
}}
if [ "$funcstack[1]" = "_wsctl" ]; then _wsctl; else compdef _wsctl wsctl; fi
)zsh";

std::string ZshScript(const CommandModel& wsctl) {
  std::string verbs, cases;
  const std::string global = ZshOptions(wsctl, wsctl);
  for (const CommandModel& command : wsctl.commands) {
    if (command.group.empty()) continue;
    verbs += fmt::format("\n    '{}:{}'", command.name, ZshText(command.description));
    std::string arguments;
    for (const ParameterModel& argument : command.arguments) {
      arguments += fmt::format(" \\\n        '{}:{}:{}'", argument.is_repeatable ? "*" : "",
                               ZshText(argument.name), ZshValues(ValuesOf(wsctl, argument)));
    }
    cases += fmt::format("        {}) _arguments{}{}{} ;;\n", command.name, global,
                         ZshOptions(wsctl, command), arguments);
  }
  return fmt::format(kZsh, verbs, global, cases);
}

// ---- fish

std::string FishText(const std::string& text) {
  return fmt::format("'{}'", Replaced(Replaced(text, "\\", "\\\\"), "'", "\\'"));
}

std::string FishValues(const Values& values) {
  if (values.files) return " -F";
  std::string words = fmt::format("{}", fmt::join(values.words, " "));
  if (!values.cluster.empty()) {
    words += fmt::format("{}(__wsctl_candidates {})", words.empty() ? "" : " ", values.cluster);
  }
  return words.empty() ? "" : fmt::format(" -a {}", FishText(words));
}

std::string FishOption(const CommandModel& wsctl, const ParameterModel& option,
                       const std::string& condition) {
  std::string line = "complete -c wsctl" + condition;
  if (!option.short_name.empty()) line += " -s " + option.short_name.substr(1);
  line += " -l " + option.name.substr(2);
  if (TakesNextWord(option)) line += " -r" + FishValues(ValuesOf(wsctl, option));
  return line + " -d " + FishText(option.description) + "\n";
}

std::string FishScript(const CommandModel& wsctl) {
  std::string script =
      "# fish completion for wsctl: wsctl completion fish > "
      "~/.config/fish/completions/wsctl.fish\n"
      "function __wsctl_candidates\n"
      "  set -l line (commandline -p)\n"
      "  set -l kind $argv[1]\n"
      "  if test $kind = names\n"
      "    set kind jobs\n"
      "    string match -q '* taskmanager*' -- $line; and set kind taskmanagers\n"
      "  end\n"
      "  set -l where (string replace -rf '.*--jobmanager[= ]+(\\S+).*' '$1' -- $line)\n"
      "  test -n \"$where\"; and set where --jobmanager $where\n"
      "  wsctl candidates $kind $where 2>/dev/null\n"
      "end\n"
      "complete -c wsctl -f\n";
  for (const ParameterModel& option : wsctl.options) script += FishOption(wsctl, option, "");
  for (const CommandModel& command : wsctl.commands) {
    if (command.group.empty()) continue;
    script += fmt::format("complete -c wsctl -n __fish_use_subcommand -a {} -d {}\n", command.name,
                          FishText(command.description));
    const std::string seen = fmt::format(" -n '__fish_seen_subcommand_from {}'", command.name);
    for (const ParameterModel& argument : command.arguments) {
      const std::string values = FishValues(ValuesOf(wsctl, argument));
      if (!values.empty()) script += "complete -c wsctl" + seen + values + "\n";
    }
    for (const ParameterModel& option : command.options) script += FishOption(wsctl, option, seen);
  }
  return script;
}

}  // namespace

std::string CompletionScript(const CommandModel& wsctl, std::string_view shell) {
  if (shell == "zsh") return ZshScript(wsctl);
  if (shell == "fish") return FishScript(wsctl);
  return BashScript(wsctl);
}

}  // namespace watershed
