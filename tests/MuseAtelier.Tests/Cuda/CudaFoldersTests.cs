using MuseAtelier.Cuda.Native;

namespace MuseAtelier.Tests.Cuda;

public sealed class CudaFoldersTests
{
    private const string Programs = @"C:\Program Files";

    [Fact]
    public void OfLibraries_OnWindows_HasTheInstallersFoldersBeforePath()
    {
        MachineView view = Windows(
            new()
            {
                ["Path"] = @"D:\tools;C:\CUDA\bin",
                ["CUDA_PATH"] = @"C:\CUDA",
                ["CUDA_PATH_V13_0"] = @"C:\CUDA130",
                ["CUDA_PATH_V13_10"] = @"C:\CUDA1310",
                ["CUDA_PATH_V12_8"] = @"C:\CUDA128",
            },
            new()
            {
                [Programs + @"\NVIDIA GPU Computing Toolkit\CUDA"] = ["v12.8", "v13.0", "v13.2"],
                [Programs + @"\NVIDIA\CUDNN"] = ["v8.9", "v9.9", "v9.14"],
                [Programs + @"\NVIDIA\CUDNN\v9.14\bin"] = ["12.9", "13.0", "13.1"],
            });
        string[] expected =
        [
            @"C:\muse",
            @"C:\CUDA\bin\x64", @"C:\CUDA\bin",
            @"C:\CUDA1310\bin\x64", @"C:\CUDA1310\bin",
            @"C:\CUDA130\bin\x64", @"C:\CUDA130\bin",
            Programs + @"\NVIDIA GPU Computing Toolkit\CUDA\v13.2\bin\x64", Programs + @"\NVIDIA GPU Computing Toolkit\CUDA\v13.2\bin",
            Programs + @"\NVIDIA GPU Computing Toolkit\CUDA\v13.0\bin\x64", Programs + @"\NVIDIA GPU Computing Toolkit\CUDA\v13.0\bin",
            Programs + @"\NVIDIA\CUDNN\v9.14\bin\13.1\x64", Programs + @"\NVIDIA\CUDNN\v9.14\bin\13.1",
            Programs + @"\NVIDIA\CUDNN\v9.14\bin\13.0\x64", Programs + @"\NVIDIA\CUDNN\v9.14\bin\13.0",
            Programs + @"\NVIDIA\CUDNN\v9.14\bin\x64", Programs + @"\NVIDIA\CUDNN\v9.14\bin",
            Programs + @"\NVIDIA\CUDNN\v9.9\bin\x64", Programs + @"\NVIDIA\CUDNN\v9.9\bin",
            @"D:\tools",
        ];
        Assert.Equal(expected, CudaFolders.OfLibraries(view));
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData(@"bin")]
    [InlineData(@"\bin")]
    [InlineData(@"C:bin")]
    [InlineData(@"..\bin")]
    public void OfLibraries_WithARelativePath_NeverTakesTheWorkingFolder(string path)
    {
        MachineView view = Windows(new() { ["PATH"] = $"{path};\"C:\\quoted folder\\\"", ["CUDA_PATH"] = path, ["CUDNN_PATH"] = path }, []);
        Assert.Equal([@"C:\muse", @"C:\quoted folder"], CudaFolders.OfLibraries(view));
    }

    [Fact]
    public void OfLibraries_OnLinux_HasChosenFoldersThenTheNewestToolkit()
    {
        MachineView view = Linux(
            new() { ["CUDA_HOME"] = "/data/cuda/", ["CUDNN_PATH"] = "relative", ["VIRTUAL_ENV"] = "/venv", ["PATH"] = "/bin" },
            new()
            {
                ["/usr/local"] = ["cuda-12.8", "cuda-13.0", "cuda-13.2", "cuda-130", "lib"],
                ["/venv/lib"] = ["python3.12", "other"],
                ["/venv/lib/python3.12/site-packages/nvidia"] = ["cudnn", "cu13"],
            });
        string[] expected =
        [
            "/opt/muse",
            "/data/cuda/lib64", "/data/cuda/targets/x86_64-linux/lib", "/data/cuda/lib",
            "/usr/local/cuda-13.2/lib64", "/usr/local/cuda-13.2/targets/x86_64-linux/lib", "/usr/local/cuda-13.2/lib",
            "/usr/local/cuda-13.0/lib64", "/usr/local/cuda-13.0/targets/x86_64-linux/lib", "/usr/local/cuda-13.0/lib",
            "/usr/local/cuda/lib64", "/usr/local/cuda/targets/x86_64-linux/lib", "/usr/local/cuda/lib",
            "/opt/cuda/lib64", "/opt/cuda/targets/x86_64-linux/lib", "/opt/cuda/lib",
            "/venv/lib/python3.12/site-packages/nvidia/cu13/lib", "/venv/lib/python3.12/site-packages/nvidia/cudnn/lib",
        ];
        Assert.Equal(expected, CudaFolders.OfLibraries(view));
    }

    [Fact]
    public void OfDriver_OnWindows_IsTheSystemsFolder()
    {
        MachineView view = Windows(new() { ["SystemRoot"] = @"C:\Windows", ["PATH"] = @"D:\tools" }, []);
        Assert.Equal([@"C:\Windows\System32", Programs + @"\NVIDIA Corporation\NVSMI"], CudaFolders.OfDriver(view));
    }

    [Fact]
    public void This_OfThisMachine_HasItsOwnFolderFirst() =>
        Assert.Equal(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar), CudaFolders.OfLibraries(MachineView.This())[0]);

    private static MachineView Windows(Dictionary<string, string> variables, Dictionary<string, string[]> folders)
    {
        var all = new Dictionary<string, string>(variables, StringComparer.OrdinalIgnoreCase) { ["ProgramFiles"] = Programs };
        return new MachineView(true, @"C:\muse\", all, folder => folders.GetValueOrDefault(folder) ?? []);
    }

    private static MachineView Linux(Dictionary<string, string> variables, Dictionary<string, string[]> folders) =>
        new(false, "/opt/muse/", variables, folder => folders.GetValueOrDefault(folder) ?? []);
}
