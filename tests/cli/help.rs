//! Help texts name every option that is promised.

use crate::place::Place;

#[test]
fn every_option_is_in_the_help() {
    let place = Place::new();
    let common = "--adapter --software --json --quiet --verbose";
    let train = "--model --head --narrow --augment --data --components --covariance --weights --loss --hidden --epochs --batch-size --optimizer --lr --lr-sigma --gamma --normalize \
                 --seeds --seed --out --config --init --order --recipe --split --max-steps --log-every --snapshot-every --resume --force \
                 --checkpoint-every";
    for (command, options) in [
        ("train", train),
        ("eval", "MODEL --data --activation"),
        (
            "certify",
            "MODEL --inputs --out --activation --dropout --method --points --components --epsilon --max-components --range --samples --seed --force",
        ),
        ("verify", "DIR --model --inputs"),
        ("merge", "DIR --out --force"),
        ("predict", "MODEL --inputs --out"),
        ("sample", "MODEL --neurons --out --seed"),
        ("reproduce", "gm gm-figure8 --quick --out"),
        ("data", "NAME"),
        ("info", ""),
    ] {
        let help = place.run(&format!("{command} --help")).ok().stdout;
        for option in options.split_whitespace().chain(common.split_whitespace()) {
            assert!(help.contains(option), "{command} --help does not mention {option}");
        }
        assert!(help.lines().all(|line| line.chars().count() <= 100), "{command} --help is too wide");
    }
    let help = place.run("--help").ok().stdout;
    for command in ["train", "eval", "predict", "certify", "verify", "merge", "sample", "reproduce", "data", "info"] {
        assert!(help.contains(command), "--help does not mention {command}");
    }
    assert!(place.run("--version").ok().stdout.starts_with("bures "));
}
