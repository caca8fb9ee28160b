using MuseAtelier.Tools.Inspect;

if (args is not [string folder, string version])
{
    await Console.Error.WriteLineAsync("Usage: muse-inspect FOLDER VERSION");
    return 2;
}

return PackageFolder.Inspect(folder, version);
