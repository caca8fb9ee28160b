using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MuseAtelier.Limits;
using MuseAtelier.Runtime;
using MuseAtelier.Tests.Checkpoints;

namespace MuseAtelier.Tests.Environments;

public sealed class RuntimeLibraryTests
{
    [Fact]
    public void Require_OfTheLibraryBesideTheProgram_KnowsItsVersion()
    {
        OnnxLibrary.Require();
        Assert.True(Version.TryParse(OnnxLibrary.Version, out Version? version));
        Assert.True(version.Minor >= OnnxLibrary.LeastInterface);
    }

    [Fact]
    public void Find_WhereNothingLoads_SaysWhatAndWhatToDo()
    {
        OnnxRuntimeLibraryException missing =
            OnnxLibrary.Find(() =>
                throw new DllNotFoundException("Unable to load shared library 'onnxruntime' or one of its dependencies:\nlibstdc++.so.6: "
                    + "cannot open shared object file: No such file or directory\n"))!;
        Assert.Contains("libstdc++.so.6: cannot open", missing.Found, StringComparison.Ordinal);
        OnnxRuntimeLibraryException absent =
            OnnxLibrary.Find(() =>
                throw new DllNotFoundException("Unable to load shared library 'onnxruntime' or one of its dependencies. Consider "
                    + "strace:\n/a/libonnxruntime.so: cannot open shared object file: No such file or directory\nonnxruntime: cannot open "
                        + "shared object file: No such file or directory\n"))!;
        Assert.Contains("there is no library of that name", absent.Found, StringComparison.Ordinal);
        OnnxRuntimeLibraryException unmapped =
            OnnxLibrary.Find(() =>
                throw new DllNotFoundException("Unable to load shared library 'onnxruntime' or one of its dependencies. Consider "
                    + "strace:\n/a/libonnxruntime.so: failed to map segment from shared object\nonnxruntime: cannot open shared object "
                        + "file: No such file or directory\n"))!;
        Assert.Contains("failed to map segment", unmapped.Found, StringComparison.Ordinal);
        OnnxRuntimeLibraryException foreign =
            OnnxLibrary.Find(() => throw new BadImageFormatException("An attempt was made to load a program with an incorrect format."))!;
        Assert.Contains("incorrect format", foreign.Found, StringComparison.Ordinal);
        Assert.NotNull(OnnxLibrary.Find(() => throw new EntryPointNotFoundException("OrtGetApiBase")));
        Assert.NotNull(OnnxLibrary.Find(() => 0));
    }

    [Fact]
    public unsafe void Find_OfAnOlderLibrary_NamesItsVersion()
    {
        nint* table = stackalloc nint[] { (nint)(delegate* unmanaged[Cdecl]<uint, nint>)&NoInterface,
            (nint)(delegate* unmanaged[Cdecl]<nint>)&OldVersion };
        nint address = (nint)table;
        OnnxRuntimeLibraryException old = OnnxLibrary.Find(() => address)!;
        Assert.Contains("ONNX Runtime 1.17.1", old.Found, StringComparison.Ordinal);
        Assert.Contains("1.23 or newer", old.Expected, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Render_WithoutTheLibrary_FailsInOneLineBeforeAnExport()
    {
        using var folder = new TemporaryFolder();
        string program = folder["program"];
        CopyProgram(program,
            file => Path.GetFileName(file) is not "libonnxruntime.so" and not "libonnxruntime.dylib" and not "onnxruntime.dll");
        string[] arguments = ["render", "cat", "-W", "256", "-H", "256", "--steps", "1", "--device", "cpu", "--cache", folder["cache"],
            "--out", folder["cat.png"]];
        MuseProcessResult result = await MuseProcess.RunAsync("shift 2; exec dotnet \"$PROGRAM/muse.dll\" \"$@\"", arguments,
            new() { ["PROGRAM"] = program });
        Assert.Equal(1, result.Code);
        string line = Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith("error: ONNX Runtime's library does not load (", line, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder["cache"]));

        MuseProcessResult doctor = await MuseProcess.RunAsync("shift 2; exec dotnet \"$PROGRAM/muse.dll\" \"$@\"", ["doctor"],
            new() { ["PROGRAM"] = program });
        Assert.Equal(0, doctor.Code);
        Assert.Contains("does not load", doctor.Out, StringComparison.Ordinal);
        Assert.Contains("muse cannot paint", doctor.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Require_OfMoreThreadsThanThereMayBe_FailsAndLeavesNone()
    {
        var started = new List<Thread>();
        ThreadLimitException exception = Assert.Throws<ThreadLimitException>(() => HostThreads.Require(5, (thread, release) =>
        {
            if (started.Count == 3) throw new InsufficientMemoryException();
            thread.Start(release);
            started.Add(thread);
        }));
        Assert.Equal((3, 5), (exception.Started, exception.Needed));
        Assert.Contains("3 of 5 threads", exception.Message, StringComparison.Ordinal);
        Assert.All(started, thread => Assert.False(thread.IsAlive));
        HostThreads.Require(5);
    }

    [Theory]
    [InlineData("[ErrorCode:Fail] Failed to allocate memory for requested buffer of size 1073741824", true)]
    [InlineData("[ErrorCode:RuntimeException] std::bad_alloc", true)]
    [InlineData("bad allocation", true)]
    [InlineData("[ErrorCode:Fail] Non-zero status code returned while running Sub node", false)]
    public void IsOutOfMemory_OfWhatOnnxRuntimeSays_KnowsMemory(string message, bool expected) =>
        Assert.Equal(expected, Cpu.CpuDevice.IsOutOfMemory(message));

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint NoInterface(uint version) => 0;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static unsafe nint OldVersion() => (nint)Unsafe.AsPointer(ref MemoryMarshal.GetReference("1.17.1\0"u8));

    // Links where the system has them: the program with its libraries is large.
    private static void CopyProgram(string target, Func<string, bool> isWanted)
    {
        string source = AppContext.BaseDirectory;
        foreach (string file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories).Where(isWanted))
        {
            string name = Path.GetRelativePath(source, file), copy = Path.Combine(target, name);
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            if (Path.GetExtension(file) is ".so" or ".safetensors") File.CreateSymbolicLink(copy, file);
            else File.Copy(file, copy);
        }
    }
}
