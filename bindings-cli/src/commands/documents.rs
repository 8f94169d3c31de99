//! `rolesanywhere completion` and `rolesanywhere man`: the command line, described for shells and for
//! people.

use rolesanywhere_core::{Error, ErrorKind, Result};

use crate::{
    arguments::{Arguments, Completion, Man},
    files, output_file,
};

/// Prints the completion script of a shell, for this program under the name that it was called by.
///
/// # Errors
/// When stdout cannot be written.
pub(crate) fn completion(options: &Completion, name: &str) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(
        options.shell,
        &mut Arguments::description(),
        name,
        &mut script,
    );
    super::print(&script)
}

/// Writes a manual page for the program and one for each command.
///
/// # Errors
/// [`ErrorKind::InvalidInput`] naming what cannot be written.
pub(crate) fn man(options: &Man) -> Result<()> {
    let unwritable = |error: std::io::Error| {
        let directory = options.directory.display();
        Error::new(
            ErrorKind::InvalidInput,
            format!("`{directory}` cannot be written ({error}): name another directory"),
        )
    };
    files::refuse_tilde(&options.directory)
        .and_then(|()| std::fs::create_dir_all(&options.directory))
        .map_err(unwritable)?;
    let mut program = Arguments::description();
    program.build(); // Gives each command its whole name.
    let name = program.get_name().to_owned();
    let commands = program
        .get_subcommands()
        .filter(|command| !command.is_hide_set());
    let pages = commands
        .filter(|command| command.get_name() != "help")
        .map(|command| (format!("{name}-{}", command.get_name()), command.clone()));
    let pages: Vec<_> = std::iter::once((name.clone(), program.clone()))
        .chain(pages)
        .collect();
    for (name, command) in pages {
        let mut page = Vec::new();
        clap_mangen::Man::new(command)
            .title(&name)
            .render(&mut page)
            .map_err(unwritable)?;
        output_file::write_whole(&options.directory.join(format!("{name}.1")), &page)?;
    }
    Ok(())
}
